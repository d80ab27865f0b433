import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mergedRecord, parseTuningRecord, type TuningRecord } from '@batchwise/tuner';
import { writeJson } from './destinations.ts';
import type { RunSetting } from './run-record.ts';

/** What step times and noise belong to: with another of these, nothing that was found holds. */
export interface TuningKey {
  /** Name and number of parameters. */
  readonly model: string;
  /** Name and number of training examples. */
  readonly dataset: string;
  readonly optimizer: string;
  /** Name, version and device. */
  readonly engine: string;
}

/** What earlier runs left, if they did, and what is wrong with it where it cannot be used. */
export interface StoredTuning {
  readonly record: TuningRecord | undefined;
  readonly notice: string | undefined;
}

/** The key of a run. */
export const tuningKey = ({ model, dataset, sampler, optimizer, backend }: RunSetting): TuningKey => ({
  model: `${model.name} ${model.parameters}`,
  // The noise is that of the examples as they are drawn.
  dataset: `${dataset.name} ${dataset.trainExamples} ${JSON.stringify(sampler)}`,
  optimizer: optimizer.name,
  engine: `${backend.name} ${backend.version} ${backend.device}`,
});

/** Tuning records in a folder of the cache, one file for each key. */
export class TuningStore {
  readonly #folder: string;

  constructor(cacheDirectory: string) {
    this.#folder = join(cacheDirectory, 'tuning');
  }

  /** Never throws: a file that cannot be used costs a run nothing but its head start. */
  async read(key: TuningKey): Promise<StoredTuning> {
    const path = this.#pathOf(key);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return { record: undefined, notice: undefined };
    const record = parseTuningRecord(parsed(text));
    return { record, notice: record ? undefined : `${path} is no tuning record and is not used.` };
  }

  /** Adds a run to what is stored; a reader sees the old file or the new one. Answers why it could not. */
  async add(key: TuningKey, latest: TuningRecord): Promise<string | undefined> {
    const path = this.#pathOf(key);
    try {
      const { record } = await this.read(key);
      await mkdir(dirname(path), { recursive: true });
      await writeJson(path, { ...mergedRecord(record, latest), key });
      return undefined;
    } catch (error) {
      return `What was learned could not be kept in ${path}: ${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  #pathOf(key: TuningKey): string {
    const parts = [key.model, key.dataset, key.optimizer, key.engine];
    const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
    return join(this.#folder, `${digest.slice(0, 24)}.json`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
