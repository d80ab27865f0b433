import { independentDraws, type IndexSampler } from '@batchwise/sampler';
import { importanceWeights } from './importance-weights.ts';
import { requireFinite, requireStateOf, requireWeight, requireWeights } from './require-weights.ts';
import { MAX_LEAVES, SumTree } from './sum-tree.ts';
import type { WeightedOptions } from './weighted.ts';

/** The weights as they are; survives JSON. */
export type AdjustableState = { readonly weights: readonly number[] };

/** What decides the draws, and where they go on. */
export interface AdjustableOptions extends WeightedOptions {
  /** What `state()` of a sampler of as many weights gave: its weights take the place of the first ones. */
  readonly state?: AdjustableState | undefined;
}

/** A weighted sampler whose weights may change at any time. */
export interface AdjustableSampler extends IndexSampler {
  readonly population: number;
  /**
   * Changes a weight, for all draws from now on.
   * @throws RangeError when there is no such index, or the weight or the sum of all is not a finite number above 0
   */
  setWeight(index: number, weight: number): void;
  /** @throws RangeError when there is no such index */
  weightOf(index: number): number;
  state(): AdjustableState;
}

/**
 * Draws with replacement by weights that may change between any two draws, both in O(log n): weights of your own
 * making, such as those of a label that was corrected or a source that is trusted less.
 *
 * @param weights finite numbers above 0, 1 to 2²⁸ of them; read once
 * @throws RangeError when a weight is not such a number, there are too many, or an option is out of its range
 */
export function adjustable(
  weights: ArrayLike<number>,
  { seed, size = weights.length, beta = 0, state }: AdjustableOptions,
): AdjustableSampler {
  const population = weights.length;
  requireStateOf(population, state?.weights);
  const first = state?.weights ?? weights;
  requireWeights(first, MAX_LEAVES);
  const tree = new SumTree(first);
  const mass = new Float64Array(1);
  let changes = 0;
  return {
    ...independentDraws({
      size,
      population,
      seed,
      draw(uniforms, indices) {
        const { total } = tree;
        for (let k = 0; k < indices.length; k++) {
          mass[0] = (uniforms[k] ?? 0) * total;
          indices[k] = tree.findAt(mass, 0);
        }
      },
      ...importanceWeights(beta, () => ({ masses: tree.weights, mean: tree.total / population })),
    }),
    population,
    setWeight(index, weight) {
      requireWeight('weight', weight);
      requireFinite(tree.total - tree.weightOf(index) + weight);
      tree.set(index, weight);
      changes += 1;
    },
    weightOf: (index) => tree.weightOf(index),
    state: () => ({ weights: [...tree.weights] }),
    changes: () => changes,
  };
}
