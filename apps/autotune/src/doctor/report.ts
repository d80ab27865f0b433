import type { EngineName } from '@batchwise/backend/node';
import type { Machine } from './machine.ts';
import type { LoadedFacts } from './probe-messages.ts';

/**
 * What was found of an engine. `software` trains right, but on the processor where a GPU is meant; `trainsWrongly` gives
 * other losses than the reference; `noGpu` loads and computes nothing.
 */
export type Verdict =
  'trains' | 'software' | 'trainsWrongly' | 'noGpu' | 'unavailable' | 'crashed' | 'timedOut';

/** One engine, examined. */
export interface EngineReport {
  readonly engine: EngineName;
  /** It trains, and right. */
  readonly works: boolean;
  readonly verdict: Verdict;
  /** Why it does not work, or works less well than it might; empty where there is nothing to say. */
  readonly reason: string;
  /** What mends that; empty where nothing does. */
  readonly remedy: string;
  readonly version: string | null;
  readonly device: string | null;
  /** What it may fill, bytes; null where it is not known. */
  readonly memoryBytes: number | null;
  readonly limits: Pick<LoadedFacts, 'webgpu'> & LoadedFacts['limits'];
  /** Of the steps that are compared. */
  readonly losses: readonly (number | null)[];
  /** The largest distance of a loss from the reference; null where there is no number. */
  readonly lossDifference: number | null;
  readonly firstStepMs: number | null;
  /** Median of the steps after the compared ones. */
  readonly stepMs: number | null;
}

/** What the losses are compared with. */
export interface Reference {
  /** null: the losses that are stated in the program, where the cpu engine did not train. */
  readonly engine: 'cpu' | null;
  readonly losses: readonly number[];
  readonly tolerance: number;
}

/** The engine that `--backend auto` takes. */
export interface AutoChoice {
  readonly engine: EngineName | null;
  readonly reason: string;
}

/** `batchwise.doctor/1`: what `doctor --json` writes. */
export interface DoctorRecord {
  readonly schema: 'batchwise.doctor/1';
  readonly machine: Machine;
  readonly reference: Reference;
  /** The fastest kind first. */
  readonly engines: readonly EngineReport[];
  readonly auto: AutoChoice;
}

/** The largest distance between losses of the same steps; null where one is missing. */
export function largestDifference(
  losses: readonly (number | null)[],
  reference: readonly number[],
): number | null {
  const differences = reference.map((expected, step) => {
    const loss = losses[step];
    return loss === null || loss === undefined ? null : Math.abs(loss - expected);
  });
  return differences.reduce<number | null>(
    (most, one) => (most === null || one === null ? null : Math.max(most, one)),
    0,
  );
}

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
