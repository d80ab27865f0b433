import type { CeilingOptions } from './find-ceiling.ts';
import { bestOf } from './propose.ts';
import { isWithin, type TrialRecord } from './trial.ts';

/** What a run that is about to begin may train with, in examples. */
export interface RunSizes {
  /** The batch that it begins with. */
  readonly start: number;
  /** The largest that it may choose. */
  readonly largest: number;
}

/** Far enough from the budget that nobody needs to look. */
const OBVIOUS = 0.5;
/** The first, two or three on the way to the largest that fits, and one that closes in on it. */
const MOST_TRIALS = 5;

/**
 * The most that a batch takes by what smaller ones took, bytes; undefined where one should look, since that is more than
 * half of the budget or a trial failed. No step takes less than nothing for no examples: memory grows at most in
 * proportion.
 */
export function obviousPeakBytes(
  trials: readonly TrialRecord[],
  batchSize: number,
  budgetBytes: number | undefined,
): number | undefined {
  const best = bestOf(trials);
  if (!best?.peak || budgetBytes === undefined || !trials.every(isWithin)) return undefined;
  const bytes = best.peak.peakBytes * Math.max(1, batchSize / best.batchSize);
  return bytes <= OBVIOUS * budgetBytes ? bytes : undefined;
}

/**
 * Options with which {@link findCeiling} looks for a run: from the batch that it begins with to the largest that it may
 * choose, and no further once that obviously fits.
 * @param options.mayGrow false where trials of larger sizes would cost the run too much; then there is one. Default true
 */
export function limitsOfRun(
  { start, largest }: RunSizes,
  { budgetBytes, mayGrow = true }: { readonly budgetBytes: number | undefined; readonly mayGrow?: boolean },
): Pick<CeilingOptions, 'start' | 'max' | 'maxTrials' | 'isEnough'> {
  return {
    start,
    max: largest,
    maxTrials: mayGrow ? MOST_TRIALS : 1,
    isEnough: (trials) => obviousPeakBytes(trials, largest, budgetBytes) !== undefined,
  };
}
