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
  /** Where the gradients hold a part that does not depend on the examples, such as that of a weight penalty. */
  readonly penalty?: PenaltyMoments;
}

/**
 * Inner products with r, the gradient of the terms of the loss that are the same for every example: L1, L2 and other
 * penalties of the weights. Without them r counts as signal and the noise scale comes out too low.
 */
export interface PenaltyMoments {
  /** |r|². */
  readonly squaredNorm: number;
  /** r · g_k for each micro-batch, in the order of `sizes`; g_k includes r. */
  readonly products: readonly number[];
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
 * With a penalty, g_k = d_k + r, both are those of the data's share d_k: tr Σ is the same for both, and
 * d_j · d_k = g_j · g_k − r · g_j − r · g_k + |r|².
 *
 * Norms that are not finite (a gradient that overflowed) give components that are not finite.
 *
 * @throws RangeError when there are fewer than two micro-batches, two lists differ in length, a size is not a number
 * above 0, or a squared norm is below 0
 */
export function gradientComponents(moments: GradientMoments): GradientComponents {
  requireMoments(moments);
  const { sizes, squaredNorms } = moments;
  const examples = sumOf(sizes);
  return {
    examples,
    squaredGradientNorm: (2 * dataCrossProduct(moments)) / (examples ** 2 - dot(sizes, sizes)),
    // B |g|² = |Σ b_k g_k|² / B
    gradientVarianceTrace:
      (dot(sizes, squaredNorms) - examples * squaredNormOfMean(moments)) / (sizes.length - 1),
  };
}

/** |g|² of the whole batch, g = Σ b_k g_k / B, penalty included. */
export function squaredNormOfMean({ sizes, squaredNorms, crossProduct }: GradientMoments): number {
  const squaredSizes = sizes.map((size) => size ** 2);
  return (dot(squaredSizes, squaredNorms) + 2 * crossProduct) / sumOf(sizes) ** 2;
}

/** Σ_{j<k} b_j b_k (d_j · d_k), the penalty's gradient taken out. */
function dataCrossProduct({ sizes, crossProduct, penalty }: GradientMoments): number {
  if (!penalty) return crossProduct;
  const examples = sumOf(sizes);
  const withOthers = sizes.map((size) => size * (examples - size));
  const pairs = (examples ** 2 - dot(sizes, sizes)) / 2;
  return crossProduct - dot(withOthers, penalty.products) + pairs * penalty.squaredNorm;
}

/** The moments of the data's share d_k of each gradient; |d_k|² = |g_k|² − 2 r · g_k + |r|². */
export function withoutPenalty(moments: GradientMoments): GradientMoments {
  const { sizes, squaredNorms, penalty } = moments;
  if (!penalty) return moments;
  const squaredNormOf = (k: number): number =>
    (squaredNorms[k] ?? 0) - 2 * (penalty.products[k] ?? 0) + penalty.squaredNorm;
  return {
    sizes,
    // Where the penalty is nearly all of a gradient, rounding may leave less than nothing.
    squaredNorms: sizes.map((_, k) => Math.max(0, squaredNormOf(k))),
    crossProduct: dataCrossProduct(moments),
  };
}

const sumOf = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, k) => total + value * (b[k] ?? 0), 0);

/** @throws RangeError where the moments are not those of two or more micro-batches */
export function requireMoments({ sizes, squaredNorms, penalty }: GradientMoments): void {
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
  if (penalty && penalty.products.length !== sizes.length) {
    throw new RangeError(
      `penalty.products has ${penalty.products.length} entries and sizes ${sizes.length}; give one of each per micro-batch.`,
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
