import type { AdaptiveSampler } from '@batchwise/sampler';
import type { Beta } from './importance-weights.ts';
import { requireShare } from './require-weights.ts';
import { scoreSampler, type ScoreOptions } from './score-sampler.ts';
import type { ScoresState } from './scored-examples.ts';

/** What decides prioritised draws. */
export interface PrioritizedOptions extends ScoreOptions {
  /** α in p ∝ priority^α, 0 (all alike) to 1; default 0.6, as in the paper. */
  readonly alpha?: number;
  /** Importance weights; by default from 0.4 to 1 over ten epochs. */
  readonly beta?: Beta;
  /** ε in priority = |loss| + ε, above 0; default 1e-6. */
  readonly epsilon?: number;
}

/**
 * Prioritised replay for a fixed data set: p ∝ (|δ| + ε)^α, δ being the last loss or temporal-difference error that was
 * observed, with importance weights whose β rises to 1 (Schaul et al. 2016, arXiv 1511.05952, the proportional variant).
 * An example that was not seen yet has the largest priority so far. Unlike there, a floor keeps all within reach, and the
 * draws of a batch are independent, so that they do not change with its size.
 *
 * @param population examples, 1 to 2²⁸
 * @throws RangeError when an option is out of its range, or the state is of another number of examples
 */
export function prioritized(
  population: number,
  { alpha = 0.6, epsilon = 1e-6, beta, ...options }: PrioritizedOptions,
): AdaptiveSampler<ScoresState> {
  requireShare('alpha', alpha);
  if (!(epsilon > 0 && epsilon < Infinity)) {
    throw new RangeError(`epsilon is ${epsilon}; give a finite number above 0.`);
  }
  return scoreSampler(population, {
    ...options,
    beta: beta ?? { from: 0.4, to: 1, draws: 10 * (options.size ?? population) },
    smoothing: 1,
    unknown: 'largest',
    massOf: (score) => (score + epsilon) ** alpha,
    scoreOf: Math.abs,
  });
}
