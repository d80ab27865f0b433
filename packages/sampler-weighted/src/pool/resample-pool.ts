import { requireInteger, type SeededRandom } from '@batchwise/sampler';
import { finiteScores } from './finite-scores.ts';
import { requireShare } from '../require-weights.ts';
import { SumTree } from '../sum-tree.ts';

/** How a batch is drawn from a pool. */
export interface ResampleOptions {
  /** Examples to be drawn. */
  readonly count: number;
  readonly random: SeededRandom;
  /** Share of the draws that go to all alike, above 0 up to 1, default 0.1: no weight is above 1 / floor. */
  readonly floor?: number;
}

/** Examples of a pool, and what to multiply their losses by. */
export interface Resampled {
  /** Positions in the pool. */
  readonly positions: Int32Array;
  /** 1 / (n p), so that the weighted mean gradient of the batch is on average that of the pool. */
  readonly weights: Float32Array;
}

/**
 * Draws a batch from a pool that was scored by a forward pass, with replacement and
 * p_i = floor / n + (1 − floor) s_i / Σ s (Katharopoulos and Fleuret 2018, arXiv 1803.00942, algorithm 1).
 * @param scores of 0 or more, one per example of the pool; one that is not finite counts as the mean of the others
 * @throws RangeError when there are no scores, one is below 0, or an option is out of its range
 */
export function resamplePool(
  scores: ArrayLike<number>,
  { count, random, floor = 0.1 }: ResampleOptions,
): Resampled {
  requireInteger('count', count, { from: 1 });
  requireShare('floor', floor);
  if (floor === 0) throw new RangeError('floor is 0, so weights have no bound; give a number above 0.');
  const tree = new SumTree(finiteScores(scores));
  const positions = Int32Array.from({ length: count }, () =>
    random.uniform() < floor ? random.below(tree.size) : tree.find(random.uniform() * tree.total),
  );
  const relative = (position: number) =>
    floor + ((1 - floor) * tree.weightOf(position) * tree.size) / tree.total;
  return { positions, weights: Float32Array.from(positions, (position) => 1 / relative(position)) };
}
