import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Engine, LayersTf } from '@batchwise/backend/node';
import { writeJson } from '../destinations.ts';

/** What a ceiling belongs to: with another of these, memory is another. */
export interface CeilingKey {
  /** Layers, loss and optimizer, as one text. */
  readonly model: string;
  /** Name, version, device and limits. */
  readonly engine: string;
}

/** What a search left. */
export interface StoredCeiling {
  /** Examples at once that trained right. */
  readonly batchSize: number;
  /** Whether more did not fit; otherwise more was not wanted. */
  readonly isLimit: boolean;
  readonly budgetBytes: number | null;
}

const SCHEMA = 'batchwise.ceiling/1';

/** The key of a compiled model on an engine. */
export function ceilingKey(
  { name, version, device, limits }: Pick<Engine, 'name' | 'version' | 'device' | 'limits'>,
  model: ReturnType<LayersTf['sequential']>,
): CeilingKey {
  const layers = model.layers.map((layer) => {
    // The names count all layers that were ever made in a process.
    const config = { ...layer.getConfig(), name: '' };
    return [layer.getClassName(), layer.outputShape, config];
  });
  const optimizer = [model.optimizer.getClassName(), model.optimizer.constructor.name];
  const { loss } = model as unknown as { readonly loss: unknown };
  return {
    model: JSON.stringify([layers, String(loss), optimizer]),
    engine: JSON.stringify([name, version, device, limits]),
  };
}

/** Ceilings in a folder of the cache, one file for each key. */
export class CeilingStore {
  readonly #folder: string;

  constructor(cacheDirectory: string) {
    this.#folder = join(cacheDirectory, 'ceilings');
  }

  /** Never throws: a file that cannot be used costs a run one search. */
  async read(
    key: CeilingKey,
  ): Promise<{ readonly stored: StoredCeiling | undefined; readonly notice: string | undefined }> {
    const path = this.pathOf(key);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return { stored: undefined, notice: undefined };
    const stored = parsedCeiling(text);
    return { stored, notice: stored ? undefined : `${path} is no stored ceiling and is not used.` };
  }

  /** A reader sees the old file or the new one. Answers why it could not be written. */
  async write(
    key: CeilingKey,
    { batchSize, isLimit, budgetBytes }: StoredCeiling,
  ): Promise<string | undefined> {
    const path = this.pathOf(key);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeJson(path, { schema: SCHEMA, batchSize, isLimit, budgetBytes, engine: key.engine });
      return undefined;
    } catch (error) {
      return `The ceiling could not be kept in ${path}: ${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  pathOf({ model, engine }: CeilingKey): string {
    const digest = createHash('sha256')
      .update(JSON.stringify([model, engine]))
      .digest('hex');
    return join(this.#folder, `${digest.slice(0, 24)}.json`);
  }
}

function parsedCeiling(text: string): StoredCeiling | undefined {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { schema, batchSize, isLimit, budgetBytes } = value as Record<string, unknown>;
  const isSize = typeof batchSize === 'number' && Number.isSafeInteger(batchSize) && batchSize >= 1;
  const isBudget = budgetBytes === null || (typeof budgetBytes === 'number' && budgetBytes > 0);
  if (schema !== SCHEMA || !isSize || typeof isLimit !== 'boolean' || !isBudget) return undefined;
  return { batchSize, isLimit, budgetBytes };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
