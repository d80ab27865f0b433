import { feistelPermutation } from './feistel-permutation.ts';
import { randomAccessSampler, type IndexSampler, type ReadPositions } from './index-sampler.ts';
import { permutation } from './permutation.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';

/** What decides the orders. */
export interface ShuffledOptions {
  /** An integer from 0 to 2⁵³ − 1; the same seed gives the same orders on every machine. */
  readonly seed: number;
  /**
   * `exact` (default): all `size`! orders are equally likely; an epoch costs 4 bytes per example, from its first `take`
   * on. `feistel`: computes each place when it is asked for and keeps nothing, for data sets whose order would not fit
   * in memory; only some of the orders can come up, which no statistic of practical size notices.
   */
  readonly order?: 'exact' | 'feistel';
}

/**
 * Each example once per epoch, in an order that is new in every epoch and given by (seed, epoch index) alone.
 * @throws RangeError when `size` is not an integer from 1 to 2³¹ − 1, or `seed` not one from 0 to 2⁵³ − 1
 */
export function shuffled(size: number, { seed, order = 'exact' }: ShuffledOptions): IndexSampler {
  requireInteger('size', size, { from: 1, to: MAX_SIZE });
  requireInteger('seed', seed);
  return randomAccessSampler(size, (epoch) =>
    order === 'feistel' ? computed(size, seed, epoch) : stored(size, seed, epoch),
  );
}

function stored(size: number, seed: number, stream: number): ReadPositions {
  // Made at the first take: Model.fitDataset opens one epoch more than it reads.
  let order: Int32Array | undefined;
  return (from, to) => {
    if (from === to) return new Int32Array();
    // A whole epoch at once is handed over: nothing is left of it to read.
    if (to - from === size) return permutation(size, { seed, stream });
    return (order ??= permutation(size, { seed, stream })).slice(from, to);
  };
}

function computed(size: number, seed: number, stream: number): ReadPositions {
  const placeOf = feistelPermutation(size, seed, stream);
  return (from, to) => Int32Array.from({ length: to - from }, (_, k) => placeOf(from + k));
}
