import { describe, expect, it } from 'vitest';
import { fiellerLimits, relativeStandardError, type RatioMoments } from '../src/ratio-limits.ts';

const moments: RatioMoments = {
  numerator: 10,
  denominator: 5,
  numeratorVariance: 4,
  denominatorVariance: 1,
  covariance: 0.5,
};

/** (y - R x) in units of its standard error: the definition that the limits have to satisfy. */
const deviations = (ratio: RatioMoments, value: number): number =>
  (ratio.numerator - value * ratio.denominator) /
  Math.sqrt(ratio.numeratorVariance - 2 * value * ratio.covariance + value ** 2 * ratio.denominatorVariance);

describe('fiellerLimits', () => {
  it('solves the quadratic', () => {
    // a = 25 - 4, b = 50 - 2, c = 100 - 16: (48 ± √(48² - 21 · 84)) / 21.
    const { lower, upper } = fiellerLimits(moments, 2);
    expect(lower).toBeCloseTo((48 - Math.sqrt(540)) / 21, 12);
    expect(upper).toBeCloseTo((48 + Math.sqrt(540)) / 21, 12);
  });

  it('has limits where y - R x is t standard errors from 0, on either side', () => {
    const { lower = NaN, upper = NaN } = fiellerLimits(moments, 2.5);
    expect(deviations(moments, lower)).toBeCloseTo(2.5, 10);
    expect(deviations(moments, upper)).toBeCloseTo(-2.5, 10);
  });

  it('has no upper limit, but the same lower one, when the denominator may be 0', () => {
    const unresolved = { ...moments, denominatorVariance: 16, covariance: 3 };
    const { lower = NaN, ...rest } = fiellerLimits(unresolved, 2);
    expect(rest).toEqual({});
    expect(lower).toBeGreaterThan(0);
    expect(deviations(unresolved, lower)).toBeCloseTo(2, 10);
    // Every larger ratio is compatible with the data.
    for (const value of [lower * 1.01, 10, 1000, 1e9])
      expect(Math.abs(deviations(unresolved, value))).toBeLessThan(2);
    expect(deviations(unresolved, lower * 0.99)).toBeGreaterThan(2);
  });

  it('has a lower limit also when the mean of the denominator is somewhat negative', () => {
    const unresolved = { ...moments, denominator: -1, denominatorVariance: 4, covariance: 0 };
    const { lower = NaN } = fiellerLimits(unresolved, 2);
    expect(lower).toBeGreaterThan(0);
    expect(deviations(unresolved, lower)).toBeCloseTo(2, 10);
  });

  it('has no limits when neither mean is resolved, or the denominator is below 0', () => {
    expect(fiellerLimits({ ...moments, numeratorVariance: 100, denominatorVariance: 100 }, 2)).toEqual({});
    expect(fiellerLimits({ ...moments, denominator: -5 }, 2)).toEqual({});
  });

  it('has no limits when both the denominator and its variance are 0', () => {
    expect(fiellerLimits({ ...moments, denominator: 0, denominatorVariance: 0, covariance: 0 }, 2)).toEqual(
      {},
    );
  });

  it('does not go below 0', () => {
    const { lower, upper = NaN } = fiellerLimits({ ...moments, numerator: 1 }, 2);
    expect(lower).toBe(0);
    expect(deviations({ ...moments, numerator: 1 }, upper)).toBeCloseTo(-2, 10);
  });

  it('shrinks to the ratio itself without variance', () => {
    const exact = { ...moments, numeratorVariance: 0, denominatorVariance: 0, covariance: 0 };
    expect(fiellerLimits(exact, 2)).toEqual({ lower: 2, upper: 2 });
    // Here the discriminant is -2e-19 by rounding.
    const { lower, upper } = fiellerLimits({ ...exact, numerator: 0.3, denominator: 0.1 }, 2);
    expect([lower, upper]).toEqual([expect.closeTo(3, 12), expect.closeTo(3, 12)]);
  });
});

describe('relativeStandardError', () => {
  it('is that of the delta method', () => {
    // (σy / y)² + (σx / x)² - 2 cov / (x y) = 0.04 + 0.04 - 0.02
    expect(relativeStandardError(moments)).toBeCloseTo(Math.sqrt(0.06), 14);
  });

  it('is 0 for exact numbers and infinite for a ratio of 0 that is not exact', () => {
    const exact = { ...moments, numerator: 0, numeratorVariance: 0, covariance: 0 };
    expect(relativeStandardError(exact)).toBe(0);
    expect(relativeStandardError({ ...exact, numeratorVariance: 1 })).toBe(Infinity);
  });

  it('is 0 where the two means vary together, though rounding makes the variance -6e-14', () => {
    const value = 2.9 / 0.1;
    const together = {
      numerator: 2.9,
      denominator: 0.1,
      numeratorVariance: value * value * 0.3,
      denominatorVariance: 0.3,
      covariance: value * 0.3,
    };
    expect(relativeStandardError(together)).toBe(0);
  });
});
