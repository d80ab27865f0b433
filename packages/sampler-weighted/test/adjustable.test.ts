import { concatenated, seededRandom, sequential, shard, subset } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { adjustable } from '../src/index.ts';
import { countsOf, drawAll, drawnCounts, expectDrawnBy, range, shares, sum } from './support.ts';

describe('adjustable', () => {
  it('draws by the weights as they are, from the middle of an epoch on too', () => {
    const sampler = adjustable([1, 2, 3, 4], { seed: 1, size: 400_000 });
    const cursor = sampler.epoch(0);
    expect(chiSquare(countsOf(cursor.take(200_000), 4), shares([1, 2, 3, 4]))).toBeLessThan(
      chiSquareLimit(3),
    );
    sampler.setWeight(0, 7);
    expect(sampler.weightOf(0)).toBe(7);
    expect(chiSquare(countsOf(cursor.take(200_000), 4), shares([7, 2, 3, 4]))).toBeLessThan(
      chiSquareLimit(3),
    );
  });

  it('draws from a million examples of which many changed', () => {
    const weights = new Float64Array(1_000_000).fill(1);
    const sampler = adjustable(weights, { seed: 1, size: 500_000 });
    // The first half weighs 1 to 10 now, in stripes.
    for (let index = 0; index < 500_000; index++) sampler.setWeight(index, 1 + (index % 10));
    const stripes = range(11).map(() => 0);
    for (const index of sampler.epoch(0).take(500_000)) {
      const stripe = index < 500_000 ? index % 10 : 10;
      stripes[stripe] = (stripes[stripe] ?? 0) + 1;
    }
    const mass = [...range(10).map((k) => 50_000 * (1 + k)), 500_000];
    expect(chiSquare(stripes, shares(mass))).toBeLessThan(chiSquareLimit(10));
  });

  it('draws each of a million examples in proportion to its weight, each set twice in no order', () => {
    const random = seededRandom(6);
    const weights = new Float64Array(1_000_000).fill(9);
    const sampler = adjustable(weights, { seed: 2, size: 2_000_000 });
    for (let turn = 0; turn < 2_000_000; turn++) {
      // 7919 has no factor in common with a million: all come up before one does again.
      const index = (turn * 7919) % 1_000_000;
      weights[index] = 0.5 + random.uniform();
      // Four times the last ones at first: sums that were left behind would show.
      sampler.setWeight(index, (weights[index] ?? 0) * (turn < 1_000_000 ? 4 : 1));
    }
    const total = sum(weights);
    expectDrawnBy(sampler.epoch(0).take(2_000_000), {
      probabilities: weights.map((weight) => weight / total),
      classOf: (index) => Math.floor(((weights[index] ?? 0) - 0.5) * 100),
    });
  });

  it('weighs by the probabilities at the time of the draw', () => {
    const sampler = adjustable([1, 3], { seed: 1, size: 20, beta: 1 });
    const cursor = sampler.epoch(0);
    const first = drawAll(cursor, 10);
    first.indices.forEach((index, k) => expect(first.weights[k]).toBeCloseTo([2, 2 / 3][index] ?? NaN, 6));
    sampler.setWeight(1, 1);
    expect(drawAll(cursor, 10).weights).toEqual(new Float32Array(10).fill(1));
  });

  it('goes on from its state as if it had not stopped', () => {
    const sampler = adjustable([1, 2, 3], { seed: 5, size: 100 });
    sampler.setWeight(2, 0.1);
    const state: unknown = JSON.parse(JSON.stringify(sampler.state()));
    expect(state).toEqual({ weights: [1, 2, 0.1] });
    const resumed = adjustable([1, 2, 3], { seed: 5, size: 100, state: sampler.state() });
    expect(resumed.epoch(2, 40).take(60)).toEqual(sampler.epoch(2, 0).take(100).subarray(40));
    expect(drawnCounts(resumed, 3)).not.toEqual(
      drawnCounts(adjustable([1, 2, 3], { seed: 5, size: 100 }), 3),
    );
  });

  it('keeps its state, and counts its changes, inside of other samplers', () => {
    const own = adjustable([1, 2, 3], { seed: 5 });
    const within = [
      subset([7, 8, 9], own),
      shard(own, { rank: 0, world: 2 }),
      concatenated([sequential(2), own]),
    ];
    expect(within.map((sampler) => sampler.changes?.())).toEqual([0, 0, 0]);
    own.setWeight(0, 9);
    expect(() => own.setWeight(1, 0)).toThrow(RangeError);
    const state = { weights: [9, 2, 3] };
    expect(within.map((sampler) => sampler.state?.())).toEqual([state, state, [null, state]]);
    expect(within.map((sampler) => sampler.changes?.())).toEqual([1, 1, 1]);
  });

  it('refuses weights and states that make no sense, and keeps what it had', () => {
    const sampler = adjustable([1, 2], { seed: 1 });
    expect(() => sampler.setWeight(0, 0)).toThrow(
      new RangeError(
        'weight is 0; give a finite number above 0; to leave an example out, sample a subset without it.',
      ),
    );
    expect(() => sampler.setWeight(2, 1)).toThrow(new RangeError('index is 2; give an integer from 0 to 1.'));
    expect(sampler.weightOf(0)).toBe(1);
    expect(() => adjustable([1, NaN], { seed: 1 })).toThrow(
      new RangeError('weights[1] is NaN; give a finite number above 0.'),
    );
    expect(() => adjustable([1], { seed: 1, beta: 2 })).toThrow(
      new RangeError('beta is 2; give a number from 0 to 1.'),
    );
    expect(() => adjustable([1], { seed: 1, state: { weights: [1, 2] } })).toThrow(
      new RangeError('The state is of 2 examples, not 1; give one of this sampler.'),
    );
    expect(() => adjustable([1], { seed: 1, state: { weights: [-2] } })).toThrow(
      new RangeError('weights[0] is -2; give a finite number above 0.'),
    );
  });
});
