/**
 * Inner products of the micro-batch gradients of one step, all taken at the same weights, from independent draws of
 * the sampler. Micro-batch k has b_k examples and the mean gradient g_k. The same shape as in @batchwise/core.
 */
export interface GradientMoments {
  /** b_k, examples per micro-batch; two or more, not necessarily equal. With masks or weights: their effective count. */
  readonly sizes: readonly number[];
  /** |g_k|², in the same order. */
  readonly squaredNorms: readonly number[];
  /** Σ_{j<k} b_j b_k (g_j · g_k). */
  readonly crossProduct: number;
}

/** What one step tells about the gradient G over all the data and the covariance Σ of one example's gradient. */
export interface GradientComponents {
  /** B = Σ b_k. */
  readonly examples: number;
  /** Unbiased estimate of |G|²; often negative in a single step. */
  readonly squaredGradientNorm: number;
  /** Unbiased estimate of tr Σ, the variance of one example's gradient summed over all parameters. */
  readonly gradientVarianceTrace: number;
}

/**
 * Unbiased estimates of |G|² and tr Σ from K micro-batch gradients, B = Σ b_k and B g = Σ b_k g_k:
 *
 *     |G|² ≈ Σ_{j≠k} b_j b_k (g_j · g_k) / (B² − Σ b_k²)
 *     tr Σ ≈ (Σ b_k |g_k|² − B |g|²) / (K − 1)
 *
 * For K = 2 equal halves: g_1 · g_2 and (B / 4) |g_1 − g_2|². Both follow from E[g_j · g_k] = |G|² for j ≠ k and
 * E[b_k |g_k|²] = b_k |G|² + tr Σ. For equal sizes this is McCandlish et al. 2018 (arXiv 1812.06162), appendix A.1,
 * with B_small = B / K and B_big = B. For unequal ones |g|² − tr Σ / B would be unbiased too; products of different
 * micro-batches alone subtract no two large numbers, and the weights b_j b_k are the inverse variances of pure noise.
 *
 * Norms that are not finite (a gradient that overflowed) give components that are not finite.
 *
 * @throws RangeError when there are fewer than two micro-batches, the two lists differ in length, a size is not a
 * number above 0, or a squared norm is below 0
 */
export function gradientComponents(moments: GradientMoments): GradientComponents {
  requireMoments(moments);
  const { sizes, squaredNorms, crossProduct } = moments;
  const examples = sizes.reduce((total, size) => total + size, 0);
  const squaredSizes = sizes.map((size) => size ** 2);
  // B |g|² = |Σ b_k g_k|² / B
  const sizedNormOfMean = (dot(squaredSizes, squaredNorms) + 2 * crossProduct) / examples;
  return {
    examples,
    squaredGradientNorm: (2 * crossProduct) / (examples ** 2 - dot(sizes, sizes)),
    gradientVarianceTrace: (dot(sizes, squaredNorms) - sizedNormOfMean) / (sizes.length - 1),
  };
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, k) => total + value * (b[k] ?? 0), 0);

function requireMoments({ sizes, squaredNorms }: GradientMoments): void {
  if (sizes.length < 2) {
    throw new RangeError(
      `sizes has ${sizes.length} entries; the noise shows only between two or more micro-batches.`,
    );
  }
  if (squaredNorms.length !== sizes.length) {
    throw new RangeError(
      `squaredNorms has ${squaredNorms.length} entries and sizes ${sizes.length}; give one of each per micro-batch.`,
    );
  }
  sizes.forEach((size, k) => {
    if (!(size > 0) || !Number.isFinite(size))
      throw new RangeError(`sizes[${k}] is ${size}; give a number above 0.`);
  });
  squaredNorms.forEach((squaredNorm, k) => {
    if (squaredNorm < 0)
      throw new RangeError(`squaredNorms[${k}] is ${squaredNorm}; a squared norm is not below 0.`);
  });
}
