import { seededRandom, type SeededRandom } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { exponentialJumps } from '../src/exponential-jumps.ts';
import { weightedWithoutReplacement } from '../src/index.ts';
import { range } from './support.ts';

/** Probability of each order of `count` draws, one after the other without replacement. */
function lawOf(weights: readonly number[], count: number): Map<string, number> {
  const law = new Map<string, number>();
  const grow = (drawn: readonly number[], probability: number) => {
    if (drawn.length === count) return void law.set(drawn.join(), probability);
    const left = range(weights.length).filter((index) => !drawn.includes(index));
    const total = left.reduce((sum, index) => sum + (weights[index] ?? 0), 0);
    for (const index of left) grow([...drawn, index], (probability * (weights[index] ?? 0)) / total);
  };
  grow([], 1);
  return law;
}

describe('weightedWithoutReplacement', () => {
  it.each([
    [[1, 2, 3, 4], 1],
    [[1, 2, 3, 4], 2],
    [[4, 3, 2, 1], 3],
    [[1, 2, 3, 4], 4],
    [[0.01, 0.5, 0.3, 0.2, 0.1, 1], 2],
    [[1e-200, 3e-200, 2e-200], 2],
  ])('draws from %j, %d at a time, by the exact law', (weights, size) => {
    const law = lawOf(weights, size);
    const counts = new Map([...law.keys()].map((order) => [order, 0]));
    const sampler = weightedWithoutReplacement(weights, { seed: 3, size });
    for (let epoch = 0; epoch < 30_000; epoch++) {
      const order = sampler.epoch(epoch).take(size).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(law.size);
    expect(chiSquare([...counts.values()], [...law.values()])).toBeLessThan(chiSquareLimit(law.size - 1));
  });

  it('draws few of a million in proportion to their weights, whatever was jumped over', () => {
    const weights = Float64Array.from({ length: 1_000_000 }, (_, k) => 1 + (k % 5));
    const classes = [0, 0, 0, 0, 0];
    const tenths = range(10).map(() => 0);
    for (let epoch = 0; epoch < 20; epoch++) {
      const indices = exponentialJumps(weights, 1000, seededRandom(8, epoch));
      expect(new Set(indices).size).toBe(1000);
      for (const index of indices) {
        classes[index % 5] = (classes[index % 5] ?? 0) + 1;
        const tenth = Math.floor(index / 100_000);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
    }
    // A thousandth is drawn: the probabilities change by less than that, far below what 20000 draws can tell.
    expect(
      chiSquare(
        classes,
        [1, 2, 3, 4, 5].map((weight) => weight / 15),
      ),
    ).toBeLessThan(chiSquareLimit(4));
    expect(chiSquare(tenths)).toBeLessThan(chiSquareLimit(9));
  });

  it('needs about m ln(n / m) random numbers and not n', () => {
    let drawn = 0;
    const random = seededRandom(1);
    const counting: SeededRandom = { ...random, uniform: () => ((drawn += 1), random.uniform()) };
    exponentialJumps(new Float64Array(1_000_000).fill(1), 100, counting);
    // 100 for the first, and for each of the 100 ln(10^4) = 921 that follow a jump and a time.
    expect(drawn).toBeGreaterThan(100 + 1500);
    expect(drawn).toBeLessThan(100 + 2200);
  });

  it('visits each example once in a whole epoch, and goes on anywhere', () => {
    const weights = range(1000).map((k) => 1 + (k % 17));
    const sampler = weightedWithoutReplacement(weights, { seed: 1 });
    const order = sampler.epoch(4).take(1000);
    expect(Array.from(order).sort((a, b) => a - b)).toEqual(range(1000));
    expect(sampler.epoch(4, 990).take(100)).toEqual(order.subarray(990));
    expect(sampler.epoch(5).take(1000)).not.toEqual(order);
  });

  it('refuses weights and sizes that make no sense', () => {
    expect(() => weightedWithoutReplacement([1, 0], { seed: 1 })).toThrow('weights[1] is 0');
    expect(() => weightedWithoutReplacement([1, 2], { seed: 1, size: 3 })).toThrow(
      'size is 3; give an integer from 1 to 2.',
    );
    expect(() => weightedWithoutReplacement([1, 2], { seed: 0.5 })).toThrow('seed is 0.5');
  });
});
