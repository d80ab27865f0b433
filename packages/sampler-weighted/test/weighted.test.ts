import { seededRandom } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { weighted } from '../src/index.ts';
import { drawAll, drawnCounts, expectDrawnBy, range, shares, sum } from './support.ts';

const DRAWS = 400_000;

describe('weighted', () => {
  it.each([
    ['one', [3]],
    ['two', [1, 3]],
    ['equal', [2, 2, 2, 2, 2]],
    ['small and large', [1, 2, 4, 8, 16, 32, 64]],
    ['one that takes nearly all', [1, 1, 1, 997]],
    ['tiny in size', [1e-300, 2e-300, 3e-300]],
    ['huge', [1e307, 2e307, 3e307]],
    ['mixed', range(300).map((k) => 0.01 + ((k * 7919) % 1009) ** 2)],
  ])('draws in proportion to weights that are %s', (_name, weights) => {
    const counts = drawnCounts(weighted(weights, { seed: 1, size: DRAWS }), weights.length);
    expect(sum(counts)).toBe(DRAWS);
    expect(chiSquare(counts, shares(weights))).toBeLessThan(chiSquareLimit(weights.length - 1));
  });

  it('draws each of a million examples in proportion to its weight', () => {
    const random = seededRandom(4);
    const weights = Float64Array.from({ length: 1_000_000 }, () => 0.5 + random.uniform());
    const sampler = weighted(weights, { seed: 3, size: 4_000_000 });
    const indices = sampler.epoch(0).take(4_000_000);
    const total = sum(weights);
    expectDrawnBy(indices, {
      probabilities: weights.map((weight) => weight / total),
      classOf: (index) => Math.floor(((weights[index] ?? 0) - 0.5) * 100),
    });
  });

  it('draws independently: pairs of neighbours have the product of their probabilities', () => {
    const weights = [1, 2, 3, 4];
    const order = weighted(weights, { seed: 2, size: DRAWS }).epoch(3).take(DRAWS);
    const pairs = range(16).map(() => 0);
    for (let k = 1; k < DRAWS; k += 2) {
      const cell = (order[k - 1] ?? 0) * 4 + (order[k] ?? 0);
      pairs[cell] = (pairs[cell] ?? 0) + 1;
    }
    const p = shares(weights);
    const products = p.flatMap((one) => p.map((other) => one * other));
    expect(chiSquare(pairs, products)).toBeLessThan(chiSquareLimit(15));
  });

  it('hands out weights that are the inverse of how often an example is drawn', () => {
    // p = 0.1, 0.2, 0.3, 0.4, so that N p = 0.4, 0.8, 1.2, 1.6.
    const cursor = weighted([1, 2, 3, 4], { seed: 1, size: 100, beta: 1 }).epoch(0);
    const { indices, weights } = drawAll(cursor, 100);
    const inverse = [1 / 0.4, 1 / 0.8, 1 / 1.2, 1 / 1.6];
    indices.forEach((index, k) => expect(weights[k]).toBeCloseTo(inverse[index] ?? NaN, 6));
    expect(new Set(indices).size).toBe(4);
    const half = weighted([1, 2, 3, 4], { seed: 1, size: 100, beta: 0.5 }).epoch(0);
    drawAll(half, 100).weights.forEach((weight, k) =>
      expect(weight).toBeCloseTo(Math.sqrt(weights[k] ?? NaN), 6),
    );
    expect(weighted([1, 2], { seed: 1 }).epoch(0).weights).toBeUndefined();
    const plain = weighted([1, 2], { seed: 1 }).epoch(0);
    plain.take(1);
    expect(plain.weights).toBeUndefined();
  });

  it('keeps a mean unbiased by them', () => {
    const values = [5, -1, 2, 0.5];
    const { indices, weights } = drawAll(
      weighted([1, 2, 3, 4], { seed: 9, size: DRAWS, beta: 1 }).epoch(0),
      DRAWS,
    );
    const mean = sum(Array.from(indices, (index, k) => (values[index] ?? 0) * (weights[k] ?? 0))) / DRAWS;
    // Variance of v w under p: Σ v² / (16 p) − 1.625² = 13.54 for one draw; five standard errors.
    expect(Math.abs(mean - 1.625)).toBeLessThan(5 * Math.sqrt(13.54 / DRAWS));
  });

  it('anneals beta from draw to draw, over the epochs', () => {
    const sampler = weighted([1, 3], { seed: 1, size: 10, beta: { from: 0.2, to: 1, draws: 16 } });
    for (const epoch of [0, 1, 2]) {
      const { indices, weights } = drawAll(sampler.epoch(epoch), 10);
      indices.forEach((index, k) => {
        const beta = Math.min(1, 0.2 + (0.8 * (10 * epoch + k)) / 16);
        expect(weights[k]).toBeCloseTo((index === 0 ? 0.5 : 1.5) ** -beta, 6);
      });
    }
  });

  it('refuses options out of their range', () => {
    expect(() => weighted([1], { seed: -1 })).toThrow(
      new RangeError('seed is -1; give an integer from 0 to 9007199254740991.'),
    );
    expect(() => weighted([1], { seed: 1, size: 2 ** 31 })).toThrow(
      new RangeError('size is 2147483648; give an integer from 1 to 2147483647.'),
    );
    expect(() => weighted([1], { seed: 1, beta: 1.5 })).toThrow(
      new RangeError('beta is 1.5; give a number from 0 to 1.'),
    );
    expect(() => weighted([1], { seed: 1, beta: { from: -1, to: 1, draws: 5 } })).toThrow(
      new RangeError('beta.from is -1; give a number from 0 to 1.'),
    );
    expect(() => weighted([1], { seed: 1, beta: { from: 0, to: NaN, draws: 5 } })).toThrow(
      new RangeError('beta.to is NaN; give a number from 0 to 1.'),
    );
    expect(() => weighted([1], { seed: 1, beta: { from: 0, to: 1, draws: 0 } })).toThrow(
      new RangeError('beta.draws is 0; give a number above 0.'),
    );
  });
});
