/** Two correlated means y and x, the numerator and denominator of a ratio, and the variances of these means. */
export interface RatioMoments {
  readonly numerator: number;
  readonly denominator: number;
  readonly numeratorVariance: number;
  readonly denominatorVariance: number;
  readonly covariance: number;
}

/**
 * Limits of a ratio that cannot be below 0. There is no upper one where the data do not exclude a denominator of 0,
 * and then no lower one either where they do not exclude a numerator of 0.
 */
export type RatioLimits =
  { readonly lower: number; readonly upper: number } | { readonly lower?: number; readonly upper?: never };

/**
 * Confidence limits of y / x by Fieller's theorem: all R with (y − R x)² ≤ t² var(y − R x), that is
 * a R² − 2 b R + c ≤ 0 with a = x² − t² var(x), b = x y − t² cov(x, y), c = y² − t² var(y).
 *
 * Source: E. C. Fieller, "Some problems in interval estimation", J. R. Statist. Soc. B 16(2), 1954.
 *
 * @param quantile t, the two-sided quantile of the confidence level
 */
export function fiellerLimits(ratio: RatioMoments, quantile: number): RatioLimits {
  const a = ratio.denominator ** 2 - quantile ** 2 * ratio.denominatorVariance;
  const b = ratio.numerator * ratio.denominator - quantile ** 2 * ratio.covariance;
  const c = ratio.numerator ** 2 - quantile ** 2 * ratio.numeratorVariance;
  const root = Math.sqrt(Math.max(0, b ** 2 - a * c));
  // The root that is positive when c is: also right where a is below 0, and then the only limit there is. One of the two is
  // 0 where c is, also where b is, and the quotient would be 0/0.
  const lower = c === 0 ? 0 : c / (b + root);

  if (a > 0)
    return ratio.denominator > 0 ? { lower: Math.max(0, lower), upper: Math.max(0, (b + root) / a) } : {};
  return c > 0 && Number.isFinite(lower) ? { lower } : {};
}

/** The standard error of y / x to first order (the delta method), divided by y / x. */
export function relativeStandardError(ratio: RatioMoments): number {
  const value = ratio.numerator / ratio.denominator;
  const variance =
    ratio.numeratorVariance - 2 * value * ratio.covariance + value ** 2 * ratio.denominatorVariance;
  const standardError = Math.sqrt(Math.max(0, variance)) / ratio.denominator;
  return standardError === 0 ? 0 : standardError / Math.abs(value);
}
