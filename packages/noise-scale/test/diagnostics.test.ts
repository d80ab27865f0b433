import { describe, expect, it } from 'vitest';
import { gradientCosine, momentsOf, normTest } from '../src/index.ts';
import { drawGradient, mean, normalNumbers, truthOf, type GaussianPopulation } from './support.ts';

/** |G|² = 1, tr Σ = 100 over 50 directions: noise scale 100. */
const population: GaussianPopulation = {
  gradient: Array.from({ length: 50 }, (_, i) => (i === 0 ? 1 : 0)),
  variances: Array.from({ length: 50 }, () => 2),
};
const halvesOf = (batchSize: number, normal: () => number) =>
  momentsOf(
    [1, 2].map(() => drawGradient(population, batchSize / 2, normal)),
    [batchSize / 2, batchSize / 2],
  );

it('cosine and norm test are those of the data, where a weight penalty is told apart', () => {
  const gradients = [
    [3, 4, 0],
    [4, 2, 1],
  ];
  const penalty = [-2, 1, 5];
  const whole = gradients.map((gradient) => gradient.map((x, i) => x + (penalty[i] ?? 0)));
  const [data, told, untold] = [
    momentsOf(gradients, [2, 6]),
    momentsOf(whole, [2, 6], { penalty }),
    momentsOf(whole, [2, 6]),
  ];
  // 20 / √(25 · 21)
  expect(gradientCosine(told)).toBeCloseTo(20 / Math.sqrt(525), 12);
  expect(gradientCosine(untold)).toBeGreaterThan(0.9);
  // tr Σ = (2·6/8) |g1 − g2|² = 1.5 · 6 = 9, |ḡ|² = 3.75² + 2.5² + 0.75² = 20.875, and 9 / (0.25 · 20.875) = 1.72…
  expect(normTest(told, 0.5)).toEqual(normTest(data, 0.5));
  expect(normTest(told, 0.5)).toEqual({ passed: true, neededBatchSize: 2 });
  expect(normTest(told, 0.1).neededBatchSize).toBe(44);
  expect(normTest(untold, 0.1).neededBatchSize).toBeLessThan(44);
});

it('cosine and norm test stay within their bounds where rounding beside a large penalty does not', () => {
  // |d|² = 0.1 each, and d1 · d2 = 99.5 − 200 + 100.1 = −0.4.
  const penalty = { squaredNorm: 100.1, products: [100, 100] };
  const moments = { sizes: [1, 1], squaredNorms: [100, 100], crossProduct: 99.5, penalty };
  expect(gradientCosine(moments)).toBe(-1);
  expect(normTest(moments, 0.5)).toEqual({ passed: false, neededBatchSize: Infinity });
});

describe('the cosine of two halves', () => {
  it('is that of the two vectors, whatever their sizes', () => {
    expect(
      gradientCosine(
        momentsOf(
          [
            [3, 4],
            [4, 3],
          ],
          [2, 6],
        ),
      ),
    ).toBeCloseTo(24 / 25, 14);
    expect(
      gradientCosine(
        momentsOf(
          [
            [1, 0],
            [0, 2],
          ],
          [2, 2],
        ),
      ),
    ).toBe(0);
    expect(
      gradientCosine(
        momentsOf(
          [
            [1, 0],
            [-2, 0],
          ],
          [2, 2],
        ),
      ),
    ).toBe(-1);
    expect(
      gradientCosine(
        momentsOf(
          [
            [0, 0],
            [1, 0],
          ],
          [2, 2],
        ),
      ),
    ).toBe(0);
  });

  it('comes to 1 / (1 + 2φ/B) on average', () => {
    const normal = normalNumbers(51);
    expect(truthOf(population).noiseScale).toBe(100);
    for (const batchSize of [100, 400]) {
      const cosines = Array.from({ length: 3000 }, () => gradientCosine(halvesOf(batchSize, normal)));
      expect(Math.abs(mean(cosines) - 1 / (1 + 200 / batchSize))).toBeLessThan(0.02);
    }
  });

  it('is between two', () => {
    expect(() => gradientCosine(momentsOf([[1], [1], [1]], [1, 1, 1]))).toThrow('3 micro-batches');
    expect(() => gradientCosine({ sizes: [1], squaredNorms: [1], crossProduct: 0 })).toThrow(RangeError);
  });
});

describe('the norm test', () => {
  it('compares tr Σ / B with θ² |ḡ|², by hand', () => {
    // g = (3, 1) and (1, 2) of 4 examples each: tr Σ = 2 · 5 = 10, ḡ = (2, 1.5), |ḡ|² = 6.25.
    const moments = momentsOf(
      [
        [3, 1],
        [1, 2],
      ],
      [4, 4],
    );
    expect(normTest(moments, 0.4)).toEqual({ passed: false, neededBatchSize: 10 });
    expect(normTest(moments, 0.5)).toEqual({ passed: true, neededBatchSize: 7 });
  });

  it('asks for φ (1/θ² − 1) examples: there half of the batches pass', () => {
    const normal = normalNumbers(52);
    const passed = (batchSize: number) =>
      mean(
        Array.from({ length: 1000 }, () =>
          Number(normTest(halvesOf(batchSize, normal), Math.SQRT1_2).passed),
        ),
      );
    expect(passed(30)).toBeLessThan(0.1);
    expect(Math.abs(passed(100) - 0.5)).toBeLessThan(0.15);
    expect(passed(300)).toBeGreaterThan(0.9);
  });

  it('is content where there is no noise', () => {
    expect(normTest(momentsOf([[1], [1]], [4, 4]), 0.5)).toEqual({ passed: true, neededBatchSize: 1 });
    expect(normTest(momentsOf([[0], [0]], [4, 4]), 0.5)).toEqual({ passed: true, neededBatchSize: 1 });
    expect(normTest(momentsOf([[1], [-1]], [4, 4]), 0.5)).toEqual({
      passed: false,
      neededBatchSize: Infinity,
    });
  });

  it.each([0, 1, NaN])('refuses θ = %d', (theta) => {
    expect(() => normTest(momentsOf([[1], [1]], [4, 4]), theta)).toThrow(`theta is ${theta}`);
  });
});
