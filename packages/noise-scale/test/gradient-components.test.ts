import { describe, expect, it } from 'vitest';
import { gradientComponents } from '../src/index.ts';
import {
  drawGradient,
  dot,
  mean,
  meanVector,
  momentsOf,
  momentsOfExamples,
  normalNumbers,
  truthOf,
} from './support.ts';

describe('gradientComponents, by hand', () => {
  it('two equal halves: g1 · g2 and (B / 4) |g1 - g2|²', () => {
    // g1 = (3, 1), g2 = (1, 2), 4 examples each: g1 · g2 = 5, |g1 - g2|² = 5.
    const moments = { sizes: [4, 4], squaredNorms: [10, 5], crossProduct: 4 * 4 * 5 };
    expect(gradientComponents(moments)).toEqual({
      examples: 8,
      squaredGradientNorm: 5,
      gradientVarianceTrace: 10,
    });
  });

  it('three unequal parts', () => {
    // g1 = (6, 0), g2 = (0, 3), g3 = (2, 2) of 1, 2 and 3 examples; g1·g2 = 0, g1·g3 = 12, g2·g3 = 6.
    const crossProduct = 1 * 2 * 0 + 1 * 3 * 12 + 2 * 3 * 6;
    const components = gradientComponents({ sizes: [1, 2, 3], squaredNorms: [36, 9, 8], crossProduct });
    // |G|²: 2 · 72 / (36 - 14). tr Σ: Σ b|g|² = 36 + 18 + 24 = 78, B g = (12, 12), B|g|² = 288 / 6 = 48, (78 - 48) / 2.
    expect(components.examples).toBe(6);
    expect(components.squaredGradientNorm).toBeCloseTo(144 / 22, 14);
    expect(components.gradientVarianceTrace).toBe(15);
  });

  it('equal parts agree with the two-batch-size form of McCandlish et al., appendix A.1', () => {
    const gradients = [
      [1, 2, -1],
      [0.5, -1, 3],
      [2, 2, 2],
      [-1, 0, 4],
    ];
    const small = mean(gradients.map((gradient) => dot(gradient, gradient)));
    const big = dot(meanVector(gradients), meanVector(gradients));
    const components = gradientComponents(momentsOf([8, 8, 8, 8], gradients));
    expect(components.squaredGradientNorm).toBeCloseTo((32 * big - 8 * small) / (32 - 8), 12);
    expect(components.gradientVarianceTrace).toBeCloseTo((small - big) / (1 / 8 - 1 / 32), 12);
  });

  it('identical gradients have no variance', () => {
    const components = gradientComponents(
      momentsOf(
        [2, 5, 3],
        [
          [1, 2],
          [1, 2],
          [1, 2],
        ],
      ),
    );
    expect(components.squaredGradientNorm).toBeCloseTo(5, 13);
    expect(components.gradientVarianceTrace).toBeCloseTo(0, 12);
  });

  it('does not depend on the order of the micro-batches', () => {
    const one = gradientComponents(
      momentsOf(
        [1, 2, 5],
        [
          [1, 2],
          [0, 3],
          [4, -1],
        ],
      ),
    );
    const other = gradientComponents(
      momentsOf(
        [5, 1, 2],
        [
          [4, -1],
          [1, 2],
          [0, 3],
        ],
      ),
    );
    expect(other.squaredGradientNorm).toBeCloseTo(one.squaredGradientNorm, 12);
    expect(other.gradientVarianceTrace).toBeCloseTo(one.gradientVarianceTrace, 12);
  });
});

describe('gradientComponents, unbiased', () => {
  const population = [
    [1, 0],
    [3, -1],
    [0, 2],
    [-2, 5],
    [4, 4],
    [2, 1],
  ];

  /** All sequences of `count` different members. */
  const arrangements = (members: readonly number[], count: number): number[][] =>
    count === 0
      ? [[]]
      : members.flatMap((member) =>
          arrangements(
            members.filter((other) => other !== member),
            count - 1,
          ).map((rest) => [member, ...rest]),
        );

  it.each([[[1, 1]], [[2, 2]], [[1, 3]], [[1, 2, 3]], [[2, 1, 1]], [[1, 1, 1, 2]]])(
    'its mean over all draws without replacement, in parts of %j, is exact',
    (sizes) => {
      const size = population.length;
      const average = meanVector(population);
      const meanNorm = mean(population.map((gradient) => dot(gradient, gradient)));
      const trace = (size / (size - 1)) * (meanNorm - dot(average, average));
      const drawn = arrangements(
        [...population.keys()],
        sizes.reduce((sum, value) => sum + value, 0),
      );
      const components = drawn.map((order) => {
        let taken = 0;
        const parts = sizes.map((count) =>
          order.slice(taken, (taken += count)).map((k) => population[k] ?? []),
        );
        return gradientComponents(momentsOfExamples(parts));
      });
      expect(mean(components.map((one) => one.gradientVarianceTrace))).toBeCloseTo(trace, 9);
      // Different members of a finite population are negatively correlated: the estimate is of |G|² - tr Σ / N.
      const expectedNorm = dot(average, average) - trace / size;
      expect(mean(components.map((one) => one.squaredGradientNorm))).toBeCloseTo(expectedNorm, 9);
    },
  );

  it.each([[[32, 32]], [[16, 16, 16, 16]], [[8, 8, 8, 8, 8, 8, 8, 8]], [[4, 60]], [[5, 19, 40]]])(
    'its ratio of means is within 5 per cent of the noise scale of a Gaussian, in parts of %j',
    (sizes) => {
      // |G|² = 60 · 0.04 = 2.4, tr Σ = 60 · 61 / 2 / 5 = 366, noise scale 152.5.
      const gaussian = {
        gradient: Array.from({ length: 60 }, () => 0.2),
        variances: Array.from({ length: 60 }, (_, k) => (k + 1) / 5),
      };
      const normal = normalNumbers(100);
      const components = Array.from({ length: 3000 }, () =>
        gradientComponents(
          momentsOf(
            sizes,
            sizes.map((size) => drawGradient(gaussian, size, normal)),
          ),
        ),
      );
      const truth = truthOf(gaussian);
      const norm = mean(components.map((one) => one.squaredGradientNorm));
      const trace = mean(components.map((one) => one.gradientVarianceTrace));
      expect(truth.noiseScale).toBeCloseTo(152.5, 10);
      expect(Math.abs(norm / truth.squaredGradientNorm - 1)).toBeLessThan(0.05);
      expect(Math.abs(trace / truth.gradientVarianceTrace - 1)).toBeLessThan(0.02);
      expect(Math.abs(trace / norm / truth.noiseScale - 1)).toBeLessThan(0.05);
    },
  );
});

describe('gradientComponents, refusals', () => {
  it('wants two micro-batches', () => {
    expect(() => gradientComponents({ sizes: [4], squaredNorms: [1], crossProduct: 0 })).toThrow(RangeError);
    expect(() => gradientComponents({ sizes: [4], squaredNorms: [1], crossProduct: 0 })).toThrow(
      'sizes has 1 entries',
    );
  });

  it('wants a norm for each', () => {
    const moments = { sizes: [4, 4, 4], squaredNorms: [1, 1], crossProduct: 0 };
    expect(() => gradientComponents(moments)).toThrow(RangeError);
    expect(() => gradientComponents(moments)).toThrow('squaredNorms has 2 entries and sizes 3');
  });

  it.each([0, -1, NaN, Infinity])('refuses the size %d', (size) => {
    const moments = { sizes: [4, size], squaredNorms: [1, 1], crossProduct: 0 };
    expect(() => gradientComponents(moments)).toThrow(RangeError);
    expect(() => gradientComponents(moments)).toThrow(`sizes[1] is ${size}; give a number above 0.`);
  });

  it('refuses a squared norm below 0, and takes 0', () => {
    const moments = { sizes: [4, 4], squaredNorms: [0, -2], crossProduct: 0 };
    expect(() => gradientComponents(moments)).toThrow(RangeError);
    expect(() => gradientComponents(moments)).toThrow('squaredNorms[1] is -2');
    const zero = { sizes: [4, 4], squaredNorms: [0, 0], crossProduct: 0 };
    expect(gradientComponents(zero)).toEqual({
      examples: 8,
      squaredGradientNorm: 0,
      gradientVarianceTrace: 0,
    });
  });

  it('hands norms that are not finite on', () => {
    const { gradientVarianceTrace } = gradientComponents({
      sizes: [4, 4],
      squaredNorms: [1, NaN],
      crossProduct: 1,
    });
    expect(gradientVarianceTrace).toBeNaN();
    const overflowed = gradientComponents({ sizes: [4, 4], squaredNorms: [1, 1], crossProduct: Infinity });
    expect(overflowed.squaredGradientNorm).toBe(Infinity);
  });
});
