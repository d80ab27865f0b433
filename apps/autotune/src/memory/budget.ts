import type { Engine } from '@batchwise/backend/node';
import { hostRoom, type MemoryRoom } from '@batchwise/memory-probe/node';
import prettyBytes from 'pretty-bytes';
import { deviceMemory } from './device-memory.ts';

/** What a training step may take, and who says so. */
export interface Budget {
  /** Undefined where nothing is known: the search grows until a step fails. */
  readonly bytes: number | undefined;
  /** Share of it that is aimed at; undefined leaves it to the search. */
  readonly safety: number | undefined;
  /** For a person. */
  readonly source: string;
}

/** Where free memory and limits are read; tests hand in others. */
export interface BudgetSources {
  readonly room?: () => Promise<MemoryRoom>;
  readonly limitOf?: (engine: Pick<Engine, 'name'>) => number | null;
}

/** What others may take meanwhile, and what the process takes beside its tensors. */
const SHARE_OF_FREE = 0.8;

/**
 * The budget of an engine: what was asked for, else what the engine allows and, where it computes in the memory of the
 * machine, what is free of that.
 */
export async function budgetOf(
  engine: Pick<Engine, 'name' | 'device' | 'limits'>,
  asked: { readonly budget?: number | undefined; readonly safety?: number | undefined },
  { room = hostRoom, limitOf = (one) => deviceMemory(one).limitBytes }: BudgetSources = {},
): Promise<Budget> {
  const { budget, safety } = asked;
  if (budget !== undefined) return { bytes: budget, safety, source: 'asked for by --budget' };
  const limit = engine.limits.memoryBytes ?? limitOf(engine);
  if (!isInHostMemory(engine))
    return limit === null
      ? { bytes: undefined, safety, source: 'not known: sizes grow until one fails' }
      : { bytes: limit, safety, source: `the limit of ${engine.name}` };
  const { freeBytes, source } = await room();
  const free = freeBytes * SHARE_OF_FREE;
  if (limit !== null && limit <= free) return { bytes: limit, safety, source: `the limit of ${engine.name}` };
  const share = `${100 * SHARE_OF_FREE} % of ${prettyBytes(freeBytes)} free, by ${source}`;
  return { bytes: free, safety, source: share };
}

const isInHostMemory = ({ name, device }: Pick<Engine, 'name' | 'device'>): boolean =>
  name === 'wasm' ||
  name === 'cpu' ||
  name === 'native' ||
  (name === 'webgpu' && /swiftshader|llvmpipe|lavapipe/i.test(device));
