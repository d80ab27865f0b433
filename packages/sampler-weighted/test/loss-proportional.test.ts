import { seededRandom } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { lossProportional } from '../src/index.ts';
import { drawAll, drawnCounts, expectDrawnBy, range, shares, sum } from './support.ts';

const DRAWS = 200_000;

describe('lossProportional', () => {
  it('draws all alike before a loss is known', () => {
    const counts = drawnCounts(lossProportional(10, { seed: 1, size: DRAWS }), 10);
    expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(9));
  });

  it('draws in proportion to the known losses, and above the floor', () => {
    const sampler = lossProportional(4, { seed: 1, size: DRAWS, floor: 0.2 });
    sampler.observe([0, 1, 2, 3], [1, 2, 3, 4]);
    // 0.2 / 4 + 0.8 · loss / 10
    expect(chiSquare(drawnCounts(sampler, 4), [0.13, 0.21, 0.29, 0.37])).toBeLessThan(chiSquareLimit(3));
  });

  it('draws each of many in proportion to its loss, and above the floor', () => {
    const random = seededRandom(7);
    const losses = Float64Array.from({ length: 200_000 }, () => random.uniform());
    const sampler = lossProportional(200_000, { seed: 2, size: 1_000_000, floor: 0.3 });
    // Batches of 100 examples that are far apart, each told a loss that does not count any more, and then its own.
    for (const factor of [3, 1])
      for (let from = 0; from < 2000; from++) {
        const indices = range(100).map((k) => 2000 * k + from);
        sampler.observe(
          indices,
          indices.map((index) => factor * (losses[index] ?? NaN)),
        );
      }
    const total = sum(losses);
    expectDrawnBy(sampler.epoch(0).take(1_000_000), {
      probabilities: losses.map((loss) => 0.3 / 200_000 + (0.7 * loss) / total),
      classOf: (index) => Math.floor(100 * (losses[index] ?? 0)),
    });
  });

  it('takes an example without a loss for an average one', () => {
    const sampler = lossProportional(4, { seed: 1, size: DRAWS, floor: 0 });
    sampler.observe([1, 3], [1, 5]);
    expect(chiSquare(drawnCounts(sampler, 4), shares([3, 1, 3, 5]))).toBeLessThan(chiSquareLimit(3));
    sampler.observe([0, 2], [0, 0]);
    const counts = drawnCounts(sampler, 4, 1);
    // The smallest loss is taken for 10^-6.
    expect([counts[0], counts[2]]).toEqual([0, 0]);
  });

  it.each([
    [0, [1, 1, 1]],
    [0.5, [1, 2, 3]],
    [2, [1, 16, 81]],
  ])('raises losses to the power %d', (exponent, expected) => {
    const sampler = lossProportional(3, { seed: 1, size: DRAWS, floor: 0, exponent });
    sampler.observe([0, 1, 2], [1, 4, 9]);
    expect(chiSquare(drawnCounts(sampler, 3), shares(expected))).toBeLessThan(chiSquareLimit(2));
  });

  it('averages the losses of an example as told to', () => {
    const sampler = lossProportional(2, { seed: 1, smoothing: 0.25 });
    sampler.observe([0, 0, 0], [4, 8, 1]);
    // 4, then 4 + (8 − 4) / 4 = 5, then 5 + (1 − 5) / 4 = 4.
    expect(sampler.state().scores).toEqual([4, null]);
  });

  it('hands out weights 1 / (N p) that keep a mean unbiased and have a bound', () => {
    const sampler = lossProportional(4, { seed: 3, size: DRAWS, floor: 0.2 });
    sampler.observe([0, 1, 2], [1, 2, 6]);
    // Without a loss: 3. p = 0.05 + 0.8 · [1, 2, 6, 3] / 12
    const p = [1 / 12 - 1 / 60 + 0.05, 2 / 15 + 0.05, 0.45, 0.25];
    expect(sum(p)).toBeCloseTo(1, 12);
    const { indices, weights } = drawAll(sampler.epoch(0), DRAWS);
    indices.forEach((index, k) => {
      if (Math.abs((weights[k] ?? 0) * 4 * (p[index] ?? 0) - 1) > 1e-5)
        expect.fail(`weight ${weights[k]} of ${index}`);
    });
    const values = [7, -2, 1, 4];
    const mean = sum(Array.from(indices, (index, k) => (values[index] ?? 0) * (weights[k] ?? 0))) / DRAWS;
    const variance = sum(values.map((value, k) => value ** 2 / (16 * (p[k] ?? 0)))) - 2.5 ** 2;
    expect(Math.abs(mean - 2.5)).toBeLessThan(5 * Math.sqrt(variance / DRAWS));
    expect(Math.max(...weights.subarray(0, 1000))).toBeLessThan(1 / 0.2);
    const plain = lossProportional(4, { seed: 1, beta: 0 }).epoch(0);
    plain.take(2);
    expect(plain.weights).toBeUndefined();
  });

  it('learns in the middle of an epoch', () => {
    const sampler = lossProportional(3, { seed: 1, size: 2000, floor: 0 });
    const cursor = sampler.epoch(0);
    expect(new Set(cursor.take(1000)).size).toBe(3);
    sampler.observe([0, 1, 2], [0, 5, 0]);
    expect(new Set(cursor.take(1000))).toEqual(new Set([1]));
  });

  it('forgets a loss once too many others came in after it', () => {
    const sampler = lossProportional(5, { seed: 1, staleAfter: 3 });
    sampler.observe([0, 1, 2], [1, 2, 3]);
    expect(sampler.state().scores).toEqual([1, 2, 3, null, null]);
    sampler.observe([1], [4]);
    // Three others came in after the loss of 0 only with this one.
    sampler.observe([3], [9]);
    expect(sampler.state()).toEqual({
      scores: [null, 4, 3, 9, null],
      toldAt: [0, 3, 2, 4, 0],
      told: 5,
      largestMass: 9 + 1e-6,
    });
    sampler.observe([1, 1], [5, 6]);
    expect(sampler.state().scores).toEqual([null, 6, null, 9, null]);
  });

  it('goes on from its state to the bit, forgetting included', () => {
    const options = { seed: 1, size: 500, staleAfter: 40, smoothing: 0.3 };
    const [whole, first] = [lossProportional(50, options), lossProportional(50, options)];
    const lossAt = (k: number) => ((k * 7919) % 1013) / 97;
    for (let k = 0; k < 300; k++)
      for (const each of [whole, first]) each.observe([(k * 31) % 50], [lossAt(k)]);
    const resumed = lossProportional(50, { ...options, state: JSON.parse(JSON.stringify(first.state())) });
    for (let k = 300; k < 600; k++) {
      for (const each of [whole, resumed]) each.observe([(k * 37) % 50], [lossAt(k)]);
      if (k % 7 === 0) expect(resumed.state()).toEqual(whole.state());
    }
    expect(resumed.state()).toEqual(whole.state());
    expect(drawAll(resumed.epoch(1, 77), 400)).toEqual(drawAll(whole.epoch(1, 77), 400));
  });

  it('survives losses as large and as small as numbers get', () => {
    const sampler = lossProportional(3, { seed: 1, size: 300, exponent: 3, floor: 0 });
    sampler.observe([0, 1, 2], [1.7e308, 0, 5e-324]);
    const { indices, weights } = drawAll(sampler.epoch(0), 300);
    expect(new Set(indices)).toEqual(new Set([0]));
    expect(weights.every((weight) => Number.isFinite(weight) && weight > 0)).toBe(true);
  });

  it('takes in all losses or none', () => {
    const sampler = lossProportional(3, { seed: 1 });
    const before = sampler.state();
    expect(() => sampler.observe([0, 1], [2, -0.5])).toThrow(
      new RangeError('losses[1] is -0.5; give losses of 0 or more, such as their distance to the least one.'),
    );
    expect(() => sampler.observe([0, 3], [2, 1])).toThrow(
      new RangeError('indices[1] is 3; give an integer from 0 to 2.'),
    );
    expect(() => sampler.observe([0], [])).toThrow(
      new RangeError('observe got 1 indices and 0 losses; give one loss per index.'),
    );
    expect(sampler.state()).toEqual(before);
    sampler.observe([0, 1, 2], [NaN, 2, Infinity]);
    expect(sampler.state().scores).toEqual([null, 2, null]);
  });

  it.each([
    [{ exponent: -1 }, 'exponent is -1; give a finite number of 0 or more.'],
    [{ exponent: Infinity }, 'exponent is Infinity; give a finite number of 0 or more.'],
    [{ floor: 1.1 }, 'floor is 1.1; give a number from 0 to 1.'],
    [{ floor: NaN }, 'floor is NaN; give a number from 0 to 1.'],
    [{ smoothing: 0 }, 'smoothing is 0, so no loss would count; give a number above 0.'],
    [{ smoothing: 2 }, 'smoothing is 2; give a number from 0 to 1.'],
    [{ staleAfter: 0 }, 'staleAfter is 0; give a number of 1 or more.'],
    [{ beta: -1 }, 'beta is -1; give a number from 0 to 1.'],
    [{ size: 0 }, 'size is 0; give an integer from 1 to 2147483647.'],
    [{ seed: -2 }, 'seed is -2; give an integer from 0 to 9007199254740991.'],
    [
      { state: { scores: [1], toldAt: [0], told: 1, largestMass: 1 } },
      'The state is of 1 examples, not 3; give one of this sampler.',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => lossProportional(3, { seed: 1, ...options })).toThrow(new RangeError(message));
  });

  it('refuses a population that makes no sense', () => {
    for (const population of [0, -1, 2.5, NaN, 2 ** 31])
      expect(() => lossProportional(population, { seed: 1, size: 1 })).toThrow(
        new RangeError(`population is ${population}; give an integer from 1 to 268435456.`),
      );
  });

  it('draws all alike with a floor of 1', () => {
    const sampler = lossProportional(3, { seed: 1, size: DRAWS, floor: 1 });
    sampler.observe(range(3), [1, 100, 0]);
    expect(chiSquare(drawnCounts(sampler, 3))).toBeLessThan(chiSquareLimit(2));
    expect(drawAll(sampler.epoch(0), 5).weights).toEqual(new Float32Array(5).fill(1));
  });
});
