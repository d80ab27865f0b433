import type { Engine } from '@batchwise/backend/node';
import { limitsOfRun, obviousPeakBytes, type RunSizes } from '@batchwise/memory-probe';
import prettyBytes from 'pretty-bytes';
import { count } from '../format.ts';
import { ceilingKey, type CeilingStore, type StoredCeiling } from './ceiling-store.ts';
import { searchCeiling, type Search, type TimedCeiling, type TimedTrial } from './search.ts';

/** What a run found out about memory before it began. Survives JSON. */
export type RunCeiling = {
  /** Examples that may be on the device at once; null where nothing is known to bound them. */
  readonly microBatchSize: number | null;
  readonly trials: readonly TimedTrial[];
  /** Of the trials; they are no part of the training, whose weights they leave alone. */
  readonly seconds: number;
  /** What was found, or why nothing was looked for. */
  readonly text: string;
};

/** What a run plans, as far as it matters here. */
export interface Plan extends RunSizes {
  /** Examples that it will be trained on. */
  readonly examples: number;
  /** At most, seconds. */
  readonly maxSeconds?: number | undefined;
}

/** What is looked for, and where it is kept. */
export interface RunSearch extends Omit<Search, 'engine' | 'limits' | 'onTrial'> {
  readonly engine: Pick<Engine, 'tf' | 'name' | 'version' | 'device' | 'limits'>;
  readonly plan: Plan;
  readonly store: CeilingStore;
}

/** Share of a run that may be spent on trials. */
const LARGEST_SHARE = 0.03;
/** A trial is two updates and, where one is taken, a canary: the batch is gone through about so many times at most. */
const PASSES = 5;
/** From the first guess to a size that was run takes two or three trials, not all of the largest size. */
const LARGE_TRIALS = 2;
/** Engines that throw where they cannot go on. Others answer with zeros, so their numbers are compared. */
const THROWING: readonly string[] = ['native', 'cuda', 'cpu'];
/** A stored ceiling is searched anew where there is so much more memory than then. */
const MORE_MEMORY = 1.2;

/**
 * What fits on the device for a run, for at most 3 % of its examples: nothing where the run is too short, one trial that
 * confirms the limit that an earlier search met, one small trial where the largest batch obviously fits, else a search.
 * @throws the reason of `signal` where it is aborted
 */
export async function ceilingForRun(search: RunSearch): Promise<RunCeiling> {
  const { plan, signal } = search;
  const trials: TimedTrial[] = [];
  const began = performance.now();
  const end = (text: string, microBatchSize: number | null = null): RunCeiling => ({
    microBatchSize,
    trials,
    seconds: (performance.now() - began) / 1000,
    text,
  });
  if (!isWorth(plan, plan.start)) return end('memory not probed: the run is too short for it');
  try {
    const { text, microBatchSize } = await found({ ...search, onTrial: (trial) => trials.push(trial) });
    return end(text, microBatchSize);
  } catch (error) {
    if (signal.aborted) throw error;
    return end(`memory not probed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

type Found = Pick<RunCeiling, 'text' | 'microBatchSize'>;
type Looking = RunSearch & { readonly onTrial: Search['onTrial'] };

async function found(search: Looking): Promise<Found> {
  const { plan, store, engine, model, budget } = search;
  const key = ceilingKey(engine, model);
  const { stored, notice } = await store.read(key);
  const confirmed = stored && (await confirmation(stored, search));
  if (confirmed) return confirmed;
  const mayGrow = isWorth(plan, LARGE_TRIALS * plan.largest);
  const limits = { ...limitsOfRun(plan, { budgetBytes: budget.bytes, mayGrow }), ...timeLimit(plan) };
  const result = await searchCeiling({ ...search, limits: { ...limits, canary: canaryOn(engine) } });
  const mostBytes = obviousPeakBytes(result.trials, plan.largest, budget.bytes);
  const note = notice === undefined ? '' : ` ${notice}`;
  const largest = count(plan.largest);
  if (mostBytes !== undefined && budget.bytes !== undefined)
    return {
      text: `the largest batch, ${largest}, takes ${prettyBytes(mostBytes)} at most, of ${prettyBytes(budget.bytes)}${note}`,
      microBatchSize: null,
    };
  if (!mayGrow)
    return {
      text: `memory not probed: trials of up to ${largest} examples would cost more than 3 % of the run${note}`,
      microBatchSize: null,
    };
  const unkept = await keepCeiling(result, { store, key });
  const { text, microBatchSize } = conclusion(result, plan);
  return { text: [text, notice, unkept].filter(Boolean).join(' '), microBatchSize };
}

/** A canary takes as long as the two updates. */
const canaryOn = ({ name }: RunSearch['engine']): 'required' | 'off' =>
  THROWING.includes(name) ? 'off' : 'required';

/** Whether a run is long enough for trials of so many examples. */
const isWorth = ({ examples }: Plan, triedExamples: number): boolean =>
  PASSES * triedExamples <= LARGEST_SHARE * examples;

/** One trial of a limit that an earlier search met below what this run may choose. */
async function confirmation(stored: StoredCeiling, search: Looking): Promise<Found | undefined> {
  const { plan, budget } = search;
  const { batchSize: size, isLimit, budgetBytes } = stored;
  const hasGrown = (budget.bytes ?? 0) > MORE_MEMORY * (budgetBytes ?? Infinity);
  if (size >= plan.largest || !isLimit || hasGrown || !isWorth(plan, size)) return undefined;
  const result = await searchCeiling({
    ...search,
    limits: { start: size, min: size, max: size, maxTrials: 1, canary: canaryOn(search.engine) },
  });
  if (result.batchSize !== size) return undefined;
  const text = `${count(size)} examples fit at once, as an earlier search found and one trial confirmed`;
  return { text, microBatchSize: size };
}

/** By examples the trials are few enough; a run that ends by the clock may have fewer than it planned. */
const timeLimit = ({ maxSeconds }: Plan): { readonly maxSeconds?: number } =>
  maxSeconds === undefined ? {} : { maxSeconds: LARGEST_SHARE * maxSeconds };

const isLimited = ({ limitedBy }: TimedCeiling): boolean =>
  limitedBy === 'memory' || limitedBy === 'deviceLimit';

/** Only a limit that was met holds a run back; where the search was cut short, a failure would tell. */
function conclusion(result: TimedCeiling, { largest }: Plan): Found {
  const { batchSize, reason } = result;
  const isBound = batchSize !== null && batchSize < largest && isLimited(result);
  return { text: reason, microBatchSize: isBound ? batchSize : null };
}

/** Keeps what a search found for later runs; answers why it could not. */
export async function keepCeiling(
  result: TimedCeiling,
  { store, key }: { readonly store: CeilingStore; readonly key: ReturnType<typeof ceilingKey> },
): Promise<string | undefined> {
  const { batchSize, budgetBytes, limitedBy } = result;
  if (batchSize === null || limitedBy === 'searchBudget' || limitedBy === 'failure') return undefined;
  return store.write(key, { batchSize, isLimit: isLimited(result), budgetBytes });
}
