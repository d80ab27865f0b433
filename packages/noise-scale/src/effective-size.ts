/**
 * How many equally weighted examples a weighted mean is worth, (Σ w)² / Σ w² (L. Kish, "Survey Sampling", 1965): the
 * variance of Σ w g / Σ w is that of one example over this. For a mask of 0 and 1 it is the number of ones. Give it as
 * the size of a micro-batch whose gradient is Σ w ∇ℓ / Σ w, with weights that do not depend on the gradients.
 *
 * Examples drawn with probability q_i and weighted by 1 / (N q_i), averaged over their count, need nothing: their size
 * is the count, and the noise scale is that of the weighted draw.
 * @param weights one per example, 0 or more, not all 0
 * @throws RangeError for a weight that is negative or not finite, or where all are 0
 */
export function effectiveSize(weights: ArrayLike<number>): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < weights.length; i += 1) {
    const weight = weights[i] ?? 0;
    if (!(weight >= 0) || !Number.isFinite(weight))
      throw new RangeError(`weights[${i}] is ${weight}; give a finite number of at least 0.`);
    sum += weight;
    squares += weight ** 2;
  }
  if (sum === 0) throw new RangeError('All weights are 0; a micro-batch without examples has no gradient.');
  return sum ** 2 / squares;
}
