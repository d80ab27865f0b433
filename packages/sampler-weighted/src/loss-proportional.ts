import type { AdaptiveSampler } from '@batchwise/sampler';
import type { Beta } from './importance-weights.ts';
import { requireNotNegative } from './require-weights.ts';
import { scoreSampler, type ScoreOptions } from './score-sampler.ts';
import type { ScoresState } from './scored-examples.ts';

/** What decides draws by loss. */
export interface LossProportionalOptions extends ScoreOptions {
  /** a in p ∝ loss^a, 0 or more; default 1. */
  readonly exponent?: number;
  /** What a new loss counts for beside the average of the earlier ones of its example, above 0 up to 1; default 1. */
  readonly smoothing?: number;
  /** Importance weights; default 1, which keeps the gradient unbiased. With 0 hard examples get more say. */
  readonly beta?: Beta;
}

/** Keeps an example with a loss of 0 within reach, and the masses above 0. */
const SMALLEST_LOSS = 1e-6;

/**
 * Draws each example in proportion to its last known loss, and hands out the importance weights that make up for it:
 * less variance at the same expected gradient as long as losses tell where gradients are large (Katharopoulos and
 * Fleuret 2018, arXiv 1803.00942; the best scores are norms of gradients, and `observe` takes those just as well).
 * An example without a known loss counts as an average one. Losses that are not finite are left out.
 *
 * @param population examples, 1 to 2²⁸
 * @throws RangeError when an option is out of its range, or the state is of another number of examples; `observe`
 *   throws one for a loss below 0
 */
export function lossProportional(
  population: number,
  { exponent = 1, smoothing = 1, beta = 1, ...options }: LossProportionalOptions,
): AdaptiveSampler<ScoresState> {
  requireNotNegative('exponent', exponent);
  return scoreSampler(population, {
    ...options,
    beta,
    smoothing,
    unknown: 'mean',
    massOf: (loss) => (loss + SMALLEST_LOSS) ** exponent,
    scoreOf(loss, k) {
      if (loss >= 0) return loss;
      throw new RangeError(
        `losses[${k}] is ${loss}; give losses of 0 or more, such as their distance to the least one.`,
      );
    },
  });
}
