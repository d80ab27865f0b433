import {
  MAX_SIZE,
  randomAccessSampler,
  requireInteger,
  seededRandom,
  type IndexSampler,
} from '@batchwise/sampler';
import { exponentialJumps } from './exponential-jumps.ts';
import { requireWeights } from './require-weights.ts';

/** What decides the draws. */
export interface WithoutReplacementOptions {
  /** An integer from 0 to 2⁵³ − 1; the same seed gives the same draws on every machine. */
  readonly seed: number;
  /** Draws per epoch, as many as there are weights at most and where it is not given. */
  readonly size?: number;
}

/**
 * Draws without replacement within an epoch, each in proportion to the weights of the examples that are left. Over a
 * whole epoch of all examples the weights decide the order only. How often an example is among the first m is not in
 * proportion to its weight unless m is far below the number of examples, so there are no importance weights.
 *
 * An epoch costs O(n) time at its first `take`, wherever it begins, and 4 bytes per draw.
 *
 * @param weights finite numbers above 0; copied
 * @throws RangeError when a weight is not such a number, `size` is not an integer from 1 to their number, or `seed` not
 *   one from 0 to 2⁵³ − 1
 */
export function weightedWithoutReplacement(
  weights: ArrayLike<number>,
  { seed, size = weights.length }: WithoutReplacementOptions,
): IndexSampler {
  requireWeights(weights);
  requireInteger('size', size, { from: 1, to: Math.min(MAX_SIZE, weights.length) });
  requireInteger('seed', seed);
  const own = Float64Array.from(weights);
  const sampler = randomAccessSampler(size, (epoch) => {
    let order: Int32Array | undefined;
    return (from, to) => (order ??= exponentialJumps(own, size, seededRandom(seed, epoch))).slice(from, to);
  });
  return { ...sampler, population: weights.length };
}
