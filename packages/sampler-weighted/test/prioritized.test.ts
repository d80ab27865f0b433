import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { prioritized } from '../src/index.ts';
import { drawAll, drawnCounts, shares } from './support.ts';

const DRAWS = 200_000;

describe('prioritized', () => {
  it('draws by the power alpha of the distance from 0', () => {
    const sampler = prioritized(3, { seed: 1, size: DRAWS, alpha: 0.5, floor: 0 });
    sampler.observe([0, 1, 2], [-1, 4, -9]);
    expect(chiSquare(drawnCounts(sampler, 3), shares([1, 2, 3]))).toBeLessThan(chiSquareLimit(2));
  });

  it('adds epsilon and has alpha 0.6 by default', () => {
    const sampler = prioritized(2, { seed: 1, size: DRAWS, epsilon: 1, floor: 0 });
    sampler.observe([0, 1], [0, 6]);
    expect(chiSquare(drawnCounts(sampler, 2), shares([1, 7 ** 0.6]))).toBeLessThan(chiSquareLimit(1));
  });

  it('gives an example that was not seen the largest priority so far, also once that one has sunk', () => {
    const sampler = prioritized(3, { seed: 1, size: DRAWS, alpha: 1, floor: 0 });
    sampler.observe([0, 1], [2, 5]);
    expect(chiSquare(drawnCounts(sampler, 3), shares([2, 5, 5]))).toBeLessThan(chiSquareLimit(2));
    sampler.observe([1], [1]);
    expect(chiSquare(drawnCounts(sampler, 3), shares([2, 1, 5]))).toBeLessThan(chiSquareLimit(2));
  });

  it('anneals beta from 0.4 to 1 over ten epochs', () => {
    const sampler = prioritized(2, { seed: 1, size: 20, alpha: 1, floor: 0 });
    sampler.observe([0, 1], [1, 3]);
    for (const epoch of [0, 5, 9, 10, 30]) {
      const { indices, weights } = drawAll(sampler.epoch(epoch), 20);
      indices.forEach((index, k) => {
        const beta = Math.min(1, 0.4 + (0.6 * (20 * epoch + k)) / 200);
        expect(weights[k]).toBeCloseTo((index === 0 ? 0.5 : 1.5) ** -beta, 4);
      });
    }
  });

  it.each([
    [{ alpha: 1.2 }, 'alpha is 1.2; give a number from 0 to 1.'],
    [{ alpha: NaN }, 'alpha is NaN; give a number from 0 to 1.'],
    [{ epsilon: 0 }, 'epsilon is 0; give a finite number above 0.'],
  ])('refuses %j', (options, message) => {
    expect(() => prioritized(3, { seed: 1, ...options })).toThrow(new RangeError(message));
  });
});
