import { randomAccessSampler, type IndexSampler } from './index-sampler.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

/** What decides the orders. */
export interface ShuffledOptions {
  /** An integer from 0 to 2⁵³ − 1; the same seed gives the same orders on every machine. */
  readonly seed: number;
}

/**
 * Each example once per epoch, in an order that is new in every epoch and given by (seed, epoch index) alone. All
 * `size`! orders are equally likely. An epoch costs 4 bytes per example, from its first `take` on.
 * @throws RangeError when `size` is not an integer from 1 to 2³¹ − 1, or `seed` not one from 0 to 2⁵³ − 1
 */
export function shuffled(size: number, { seed }: ShuffledOptions): IndexSampler {
  requireInteger('size', size, { from: 1, to: MAX_SIZE });
  requireInteger('seed', seed, { from: 0, to: Number.MAX_SAFE_INTEGER });
  return randomAccessSampler(size, (epoch) => {
    // Made at the first take: Model.fitDataset opens one epoch more than it reads.
    let order: Int32Array | undefined;
    return (from, to) => (order ??= permutation(size, seededRandom(seed, epoch))).slice(from, to);
  });
}

/** A Fisher-Yates shuffle of 0 … size − 1, built from the inside out (Knuth, TAOCP vol. 2, algorithm 3.4.2 P). */
function permutation(size: number, random: SeededRandom): Int32Array {
  const order = new Int32Array(size);
  for (let next = 0; next < size; next++) {
    const place = random.below(next + 1);
    order[next] = order[place] ?? 0;
    order[place] = next;
  }
  return order;
}
