import { finiteScores } from './finite-scores.ts';

/** The gain that importance sampling would have had in the pools so far; survives JSON. */
export type ImportanceGateState = {
  /** Running mean of τ. */
  readonly gain: number;
  /** Pools that it was taken over. */
  readonly pools: number;
};

/** The sizes that importance sampling would have. */
export interface PoolSizes {
  /** Examples that are scored by a forward pass. */
  readonly poolSize: number;
  /** Examples of these that are trained on. */
  readonly batchSize: number;
}

/**
 * τ: drawing a batch in proportion to `scores` lowers the variance of the gradient as much as a batch τ times as large
 * would, if the scores are in proportion to the norms of the gradients. With p_i = s_i / Σ s and u = 1 / N,
 *
 *     1 / τ = √(1 − |p − u|² / |p|²), which is τ = √(N Σ p²)
 *
 * (Katharopoulos and Fleuret 2018, arXiv 1803.00942, section 3.3.) 1 where all scores are equal, √N at most.
 *
 * @throws RangeError when there are no scores or one is below 0; one that is not finite counts as the mean
 */
export function samplingGain(scores: ArrayLike<number>): number {
  const own = finiteScores(scores);
  const largest = own.reduce((before, score) => Math.max(before, score));
  let sum = 0;
  let squares = 0;
  for (const score of own) {
    sum += score / largest;
    squares += (score / largest) ** 2;
  }
  return Math.sqrt(own.length * squares) / sum;
}

/**
 * The τ above which importance sampling pays: (B + 3b) / (3b) for a pool of B and a batch of b, a backward pass taken to
 * cost twice a forward pass (the same section). 2 for a pool three times as large as the batch.
 * @throws RangeError when the batch is empty or larger than the pool
 */
export function gainThreshold({ poolSize, batchSize }: PoolSizes): number {
  if (!(batchSize >= 1 && batchSize <= poolSize)) {
    throw new RangeError(`batchSize is ${batchSize}; give a number from 1 to poolSize, ${poolSize}.`);
  }
  return (poolSize + 3 * batchSize) / (3 * batchSize);
}

/**
 * The running mean of τ with one pool more: `decay` of it is kept, 0.9 as in the paper, but its first pools count alike.
 * @param state `undefined` before the first pool
 * @throws RangeError as `samplingGain`, and when `decay` is not from 0 up to, not including, 1
 */
export function addPool(
  state: ImportanceGateState | undefined,
  scores: ArrayLike<number>,
  { decay = 0.9 }: { readonly decay?: number } = {},
): ImportanceGateState {
  if (!(decay >= 0 && decay < 1)) throw new RangeError(`decay is ${decay}; give a number from 0 up to 1.`);
  const { gain, pools } = state ?? { gain: 0, pools: 0 };
  const share = Math.max(1 - decay, 1 / (pools + 1));
  return { gain: gain + share * (samplingGain(scores) - gain), pools: pools + 1 };
}

/**
 * Whether importance sampling is worth its forward passes: the mean gain is above the threshold.
 * @throws RangeError as `gainThreshold`
 */
export const isWorthSampling = (state: ImportanceGateState, sizes: PoolSizes): boolean =>
  state.gain > gainThreshold(sizes);
