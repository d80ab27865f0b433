import { independentDraws, type IndexSampler } from '@batchwise/sampler';
import { aliasTable } from './alias-table.ts';
import { importanceWeights, requireBeta, type Beta } from './importance-weights.ts';
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
  requireBeta(beta);
  const population = weights.length;
  const draws = { size, population, seed, draw: aliasTable(weights).draw };
  if (beta === 0) return independentDraws(draws);
  const mean = requireWeights(weights) / population;
  // Of a weight relative to the mean single precision is enough.
  const masses = Float32Array.from({ length: population }, (_, k) => (weights[k] ?? 0) / mean);
  return independentDraws({
    ...draws,
    weigh: (indices, drawsBefore) => importanceWeights(indices, { beta, drawsBefore }, { masses, mean: 1 }),
  });
}
