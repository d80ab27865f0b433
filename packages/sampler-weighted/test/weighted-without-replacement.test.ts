import { seededRandom, type SeededRandom } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { exponentialJumps } from '../src/exponential-jumps.ts';
import { weightedWithoutReplacement } from '../src/index.ts';
import { countsOf, range, sum } from './support.ts';

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

/** A million weights of 1 to 10, in no order of the places. */
function tenWeights(): Float64Array {
  const random = seededRandom(9);
  return Float64Array.from({ length: 1_000_000 }, () => 1 + random.below(10));
}

/**
 * Expects that many of many were drawn without replacement by their weights, 1 to 10. That is successive sampling: one of
 * weight w is in with a probability of 1 − exp(−w t), t such that these add up to the number drawn (B. Rosén,
 * "Asymptotic theory for successive sampling with varying probabilities without replacement", Ann. Math. Statist. 43,
 * 1972). By weight and in 10 and 100 stretches of places, each within 5.5 standard deviations of independent draws, which are
 * larger than those without replacement, and all together.
 */
function expectSuccessive(indices: Int32Array, weights: Float64Array): void {
  const examples = countsOf(weights, 11);
  const isIn = (weight: number, time: number) => -Math.expm1(-weight * time);
  const drawnBy = (time: number) => sum(examples.map((count, weight) => count * isIn(weight, time)));
  let [early, late] = [0, 100];
  for (let turn = 0; turn < 100; turn++) {
    const middle = (early + late) / 2;
    if (drawnBy(middle) < indices.length) early = middle;
    else late = middle;
  }
  const byWeight = (index: number) => weights[index] ?? 0;
  const stretch = (length: number) => (index: number) => Math.floor(index / length);
  for (const cellOf of [byWeight, stretch(100_000), stretch(10_000)]) {
    const counts = countsOf(indices.map(cellOf), 100);
    const [means, variances] = [new Float64Array(100), new Float64Array(100)];
    weights.forEach((weight, index) => {
      const [cell, p] = [cellOf(index), isIn(weight, early)];
      means[cell] = (means[cell] ?? 0) + p;
      variances[cell] = (variances[cell] ?? 0) + p * (1 - p);
    });
    const cells = range(100).filter((cell) => (means[cell] ?? 0) > 0);
    const squares = cells.map(
      (cell) => ((counts[cell] ?? NaN) - (means[cell] ?? 0)) ** 2 / (variances[cell] ?? 0),
    );
    expect(Math.max(...squares)).toBeLessThan(5.5 ** 2);
    expect(sum(squares)).toBeLessThan(chiSquareLimit(cells.length));
  }
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

  it('draws many of a million by the law of successive sampling, jumps or not', () => {
    const weights = tenWeights();
    const sampler = weightedWithoutReplacement(weights, { seed: 4, size: 400_000 });
    const indices = sampler.epoch(1).take(400_000);
    expect(new Set(indices).size).toBe(400_000);
    expectSuccessive(indices, weights);
  });

  it('visits each of a million once, the first ones by the law of successive sampling', () => {
    const weights = tenWeights();
    const order = weightedWithoutReplacement(weights, { seed: 5 }).epoch(0).take(1_000_000);
    expect(new Set(order).size).toBe(1_000_000);
    for (const drawn of [10_000, 300_000]) expectSuccessive(order.subarray(0, drawn), weights);
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
    expect(() => weightedWithoutReplacement([1, 0], { seed: 1 })).toThrow(
      new RangeError(
        'weights[1] is 0; give a finite number above 0; to leave an example out, sample a subset without it.',
      ),
    );
    expect(() => weightedWithoutReplacement([1, 2], { seed: 1, size: 3 })).toThrow(
      new RangeError('size is 3; give an integer from 1 to 2.'),
    );
    expect(() => weightedWithoutReplacement([1, 2], { seed: 0.5 })).toThrow(
      new RangeError('seed is 0.5; give an integer from 0 to 9007199254740991.'),
    );
  });
});
