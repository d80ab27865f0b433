import {
  gradientComponents,
  requireMoments,
  squaredNormOfMean,
  withoutPenalty,
  type GradientMoments,
} from './gradient-components.ts';

/** What the norm test says of a batch. */
export interface NormTest {
  /** Whether the gradient of this batch was precise enough. */
  readonly passed: boolean;
  /** The batch size that would just pass, examples, were |ḡ|² to stay as it is; infinite where that is 0. */
  readonly neededBatchSize: number;
}

/**
 * The cosine between the gradients of the two halves of a batch, from −1 to 1 (SimiGrad, Qin et al., NeurIPS 2021).
 * Roughly E cos = 1 / (1 + 2φ/B): a third where the batch equals the noise scale φ. To look at, not to steer by: single
 * values jump, and the mean of a ratio is biased. A penalty that is told apart is taken out.
 * @throws RangeError unless the moments are those of exactly two micro-batches
 */
export function gradientCosine(moments: GradientMoments): number {
  requireMoments(moments);
  const { sizes, squaredNorms, crossProduct } = withoutPenalty(moments);
  const [first = 0, second = 0, ...others] = sizes;
  if (others.length > 0)
    throw new RangeError(`There are ${sizes.length} micro-batches; a cosine is between two.`);
  const norms = Math.sqrt((squaredNorms[0] ?? 0) * (squaredNorms[1] ?? 0));
  // Beside a penalty that is nearly all of a gradient, rounding may leave the rest with a cosine of its own.
  return norms === 0 ? 0 : Math.max(-1, Math.min(1, crossProduct / (first * second * norms)));
}

/**
 * The norm test for a batch (Byrd et al. 2012, "Sample size selection in optimization methods for machine learning",
 * Math. Program. 134): the batch is large enough when its gradient's variance is small beside its length,
 * tr Σ / B ≤ θ² |ḡ|². Since |ḡ|² holds noise as well, tr Σ / B of it, θ of 1 or more passes nearly always, and below that it
 * asks for B ≥ φ (1/θ² − 1). One noisy step at a time: to look at, not to steer by. ḡ is without a penalty that is told apart.
 * @param theta θ, above 0 and below 1; 0.5 asks for about three times the noise scale
 * @throws RangeError for another θ, and as `gradientComponents`
 */
export function normTest(moments: GradientMoments, theta: number): NormTest {
  if (!(theta > 0 && theta < 1))
    throw new RangeError(`theta is ${theta}; give a number above 0 and below 1, such as 0.7.`);
  const { examples, gradientVarianceTrace } = gradientComponents(moments);
  const bound = theta ** 2 * Math.max(0, squaredNormOfMean(withoutPenalty(moments)));
  const neededBatchSize =
    gradientVarianceTrace > 0 ? Math.max(1, Math.ceil(gradientVarianceTrace / bound)) : 1;
  return { passed: gradientVarianceTrace / examples <= bound, neededBatchSize };
}
