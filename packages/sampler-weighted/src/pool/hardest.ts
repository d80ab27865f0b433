import { requireInteger, type SeededRandom } from '@batchwise/sampler';
import { requireShare } from '../require-weights.ts';

/** How hard examples are picked from a pool. */
export interface HardestOptions {
  /** Examples to keep. */
  readonly count: number;
  /** Some of them at random instead, from those that are not the hardest. */
  readonly explore?: {
    /** Share of `count`, 0 to 1, rounded down. */
    readonly share: number;
    readonly random: SeededRandom;
  };
}

/**
 * Positions of the examples of a pool that have the largest losses, hardest first and the earlier one first where two
 * are equal: online hard example mining (Shrivastava et al. 2016, arXiv 1604.03540). Trains on another objective than
 * the mean loss, and on wrong labels more than on others: keep a quarter of the pool at least, begin after the warm-up
 * and explore a little. A loss that is not finite counts as the smallest.
 *
 * @param losses one per example of the pool
 * @throws RangeError when `count` is not an integer from 1 to the size of the pool, or the share not from 0 to 1
 */
export function hardest(losses: ArrayLike<number>, { count, explore }: HardestOptions): Int32Array {
  requireInteger('count', count, { from: 1, to: losses.length });
  const hardness = Float64Array.from(losses, (loss) => (Number.isFinite(loss) ? loss : -Infinity));
  const ranked = Int32Array.from(hardness.keys());
  ranked.sort((a, b) => compare(hardness[b] ?? 0, hardness[a] ?? 0) || a - b);
  if (explore === undefined) return ranked.slice(0, count);
  requireShare('explore.share', explore.share);
  const kept = count - Math.floor(count * explore.share);
  // The first places of a Fisher-Yates shuffle of the rest.
  for (let place = kept; place < count; place++) {
    const other = place + explore.random.below(ranked.length - place);
    [ranked[place], ranked[other]] = [ranked[other] ?? 0, ranked[place] ?? 0];
  }
  return ranked.slice(0, count);
}

/** A difference would be NaN for two infinities. */
const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
