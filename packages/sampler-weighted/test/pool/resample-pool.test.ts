import { seededRandom } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { resamplePool } from '../../src/pool/index.ts';
import { countsOf, sum } from '../support.ts';

const COUNT = 200_000;

describe('resamplePool', () => {
  it('draws by the scores above a floor, with weights that are the inverse', () => {
    const { positions, weights } = resamplePool([1, 2, 3, 4], {
      count: COUNT,
      random: seededRandom(1),
      floor: 0.2,
    });
    const p = [0.13, 0.21, 0.29, 0.37];
    expect(chiSquare(countsOf(positions, 4), p)).toBeLessThan(chiSquareLimit(3));
    positions
      .slice(0, 500)
      .forEach((position, k) => expect(weights[k]).toBeCloseTo(0.25 / (p[position] ?? 0), 6));
  });

  it('keeps the mean of the pool, with a floor of a tenth by default', () => {
    const scores = [0, 1, 5, 0.5, 0.1];
    const values = [3, 1, -4, 2, 8];
    const { positions, weights } = resamplePool(scores, { count: COUNT, random: seededRandom(2) });
    const mean =
      sum(Array.from(positions, (position, k) => (values[position] ?? 0) * (weights[k] ?? 0))) / COUNT;
    const p = scores.map((score) => 0.02 + (0.9 * score) / 6.6);
    const variance = sum(values.map((value, k) => value ** 2 / (25 * (p[k] ?? 0)))) - 4;
    expect(Math.abs(mean - 2)).toBeLessThan(5 * Math.sqrt(variance / COUNT));
    expect(Math.max(...weights.subarray(0, 5000))).toBeCloseTo(10, 5);
  });

  it('draws all alike where all scores are 0 or none is finite', () => {
    for (const scores of [
      [0, 0, 0],
      [NaN, NaN, Infinity],
    ]) {
      const { positions, weights } = resamplePool(scores, { count: 30_000, random: seededRandom(3) });
      expect(chiSquare(countsOf(positions, 3))).toBeLessThan(chiSquareLimit(2));
      expect(new Set(weights)).toEqual(new Set([1]));
    }
  });

  it('refuses what makes no sense', () => {
    const random = seededRandom(1);
    expect(() => resamplePool([1], { count: 0, random })).toThrow(
      new RangeError('count is 0; give an integer from 1 to 9007199254740991.'),
    );
    expect(() => resamplePool([1], { count: 1, random, floor: 0 })).toThrow(
      new RangeError('floor is 0, so weights have no bound; give a number above 0.'),
    );
    expect(() => resamplePool([1], { count: 1, random, floor: 2 })).toThrow(
      new RangeError('floor is 2; give a number from 0 to 1.'),
    );
    expect(() => resamplePool([], { count: 1, random })).toThrow(
      new RangeError('There are no scores; give one per example of the pool.'),
    );
    expect(() => resamplePool([1, -2], { count: 1, random })).toThrow(
      new RangeError('scores[1] is -2; give scores of 0 or more.'),
    );
  });
});
