import { independentDraws, type IndexSampler } from '@batchwise/sampler';
import { aliasDraws } from './alias-draws.ts';
import { importanceWeights, type Beta } from './importance-weights.ts';
import { requireWeights } from './require-weights.ts';

/** What decides weighted draws. */
export interface WeightedOptions {
  /** An integer from 0 to 2⁵³ − 1; the same seed gives the same draws on every machine. */
  readonly seed: number;
  /** Draws per epoch; as many as there are weights where it is not given. */
  readonly size?: number;
  /** Importance weights; 0, which means none, where it is not given. */
  readonly beta?: Beta;
}

/**
 * Draws with replacement, each example with a probability in proportion to its weight. The alias method: a draw takes
 * the same time whatever the weights are.
 *
 * @param weights finite numbers above 0; read once
 * @throws RangeError when a weight is not such a number, or an option is out of its range
 */
export function weighted(
  weights: ArrayLike<number>,
  { seed, size = weights.length, beta = 0 }: WeightedOptions,
): IndexSampler {
  const population = weights.length;
  const mean = requireWeights(weights) / population;
  const heights = Float64Array.from(weights, (weight) => weight / mean);
  // Of a weight relative to the mean single precision is enough.
  const masses = Float32Array.from(beta === 0 ? [] : heights);
  return independentDraws({
    size,
    population,
    seed,
    draw: aliasDraws(heights),
    ...importanceWeights(beta, () => ({ masses, mean: 1 })),
  });
}
