import { requireInteger } from '@batchwise/sampler';

/**
 * Class weights by the effective number of examples, E_n = (1 − β^n) / (1 − β): a class weighs 1 / E_n, scaled so that
 * the weights add up to the number of classes. β = 0 weighs all classes alike, β → 1 in inverse proportion to their
 * examples; the paper takes 0.9 to 0.9999. As weights of losses, or of examples to sample by, not both.
 *
 * Source: Cui et al. 2019, "Class-balanced loss based on effective number of samples", arXiv 1901.05555, equation 2.
 *
 * @param counts examples of each class
 * @throws RangeError when there are no classes, one has no examples, or β is not from 0 up to, not including, 1
 */
export function effectiveNumberWeights(
  counts: ArrayLike<number>,
  { beta }: { readonly beta: number },
): Float64Array {
  if (!(beta >= 0 && beta < 1))
    throw new RangeError(`beta is ${beta}; give a number from 0 up to, not including, 1.`);
  requireInteger('The number of classes', counts.length, { from: 1 });
  const weights = Float64Array.from({ length: counts.length }, (_, label) => {
    const count = counts[label] ?? NaN;
    requireInteger(`counts[${label}]`, count, { from: 1 });
    // 1 − β^n would lose all digits for β close to 1.
    return (1 - beta) / -Math.expm1(count * Math.log(beta));
  });
  const scale = counts.length / weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight * scale);
}
