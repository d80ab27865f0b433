import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { shuffled } from '../src/index.ts';
import { orderOf, range, readAll } from './support.ts';

describe('shuffled', () => {
  it('gives the orders of an independent C program', () => {
    const sampler = shuffled(10, { seed: 42 });
    expect(orderOf(sampler, 0)).toEqual([2, 0, 3, 1, 8, 5, 7, 4, 9, 6]);
    expect(orderOf(sampler, 1)).toEqual([2, 3, 6, 9, 5, 1, 7, 8, 0, 4]);
    expect(orderOf(sampler, 2)).toEqual([5, 3, 0, 4, 6, 2, 9, 8, 1, 7]);
    expect(orderOf(sampler, 3)).toEqual([3, 5, 2, 8, 1, 9, 0, 4, 6, 7]);
  });

  it.each([1, 2, 3, 17, 1000, 60_000])('visits each of %d examples exactly once per epoch', (size) => {
    const sampler = shuffled(size, { seed: 1 });
    for (const epoch of [0, 1, 99]) {
      expect(Int32Array.from(orderOf(sampler, epoch)).sort()).toEqual(Int32Array.from(range(size)));
    }
  });

  it('depends on seed and epoch, and on nothing that was read before', () => {
    const sampler = shuffled(100, { seed: 8 });
    const third = orderOf(sampler, 3);
    orderOf(sampler, 0);
    expect(orderOf(sampler, 3)).toEqual(third);
    expect(orderOf(shuffled(100, { seed: 8 }), 3)).toEqual(third);
    expect(orderOf(shuffled(100, { seed: 9 }), 3)).not.toEqual(third);
    expect(orderOf(sampler, 4)).not.toEqual(third);
  });

  it('has the same order however it is cut into batches', () => {
    const sampler = shuffled(101, { seed: 4 });
    const whole = orderOf(sampler, 2);
    for (const counts of [[1], [2], [7], [64], [100], [101], [1000], [1, 2, 4, 8, 16], [50, 1]]) {
      expect(readAll(sampler.epoch(2), counts)).toEqual(whole);
    }
  });

  it('goes on at every startAt as if it had not stopped', () => {
    const sampler = shuffled(53, { seed: 4 });
    const whole = orderOf(sampler, 6);
    for (let startAt = 0; startAt <= 53; startAt++) {
      expect(readAll(sampler.epoch(6, startAt), [5, 3])).toEqual(whole.slice(startAt));
    }
  });

  it('keeps two cursors of one epoch apart, and its order out of the caller’s reach', () => {
    const sampler = shuffled(20, { seed: 4 });
    const whole = orderOf(sampler, 0);
    const [one, other] = [sampler.epoch(0), sampler.epoch(0)];
    one.take(7).fill(-1);
    expect(readAll(other, [6])).toEqual(whole);
    expect(readAll(one, [6])).toEqual(whole.slice(7));
    // Its buffer too: it can be sent to a worker.
    expect(sampler.epoch(0).take(7).buffer.byteLength).toBe(28);
  });

  it('makes all 24 orders of four examples equally often', () => {
    const counts = new Map<string, number>();
    const sampler = shuffled(4, { seed: 11 });
    for (let epoch = 0; epoch < 24_000; epoch++) {
      const order = orderOf(sampler, epoch).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquare([...counts.values()])).toBeLessThan(chiSquareLimit(23));
  });

  it('puts each example in each place equally often, over seeds as well as over epochs', () => {
    const size = 20;
    const overEpochs = Array.from({ length: size * size }, () => 0);
    const overSeeds = [...overEpochs];
    const count = (table: number[], order: readonly number[]) =>
      order.forEach(
        (example, place) => (table[place * size + example] = (table[place * size + example] ?? 0) + 1),
      );
    for (let turn = 0; turn < 4000; turn++) {
      count(overEpochs, orderOf(shuffled(size, { seed: 5 }), turn));
      count(overSeeds, orderOf(shuffled(size, { seed: turn }), 5));
    }
    // 19 · 19 = 361 degrees of freedom since each row and column sums to 4000.
    for (const table of [overEpochs, overSeeds]) expect(chiSquare(table)).toBeLessThan(chiSquareLimit(361));
  });

  it('draws the orders of neighbouring epochs independently', () => {
    // Where an example stands says nothing about where it stands an epoch later: 10 x 10 places, 81 degrees of freedom.
    const sampler = shuffled(10, { seed: 2 });
    const table = Array.from({ length: 100 }, () => 0);
    for (let epoch = 0; epoch < 8000; epoch += 2) {
      const [before, after] = [orderOf(sampler, epoch), orderOf(sampler, epoch + 1)];
      before.forEach((example, place) => {
        const cell = place * 10 + after.indexOf(example);
        table[cell] = (table[cell] ?? 0) + 1;
      });
    }
    expect(chiSquare(table)).toBeLessThan(chiSquareLimit(81));
  });

  it.each([0, -1, NaN, 2.5, 2 ** 31])('refuses the size %d', (size) => {
    expect(() => shuffled(size, { seed: 0 })).toThrow(
      new RangeError(`size is ${size}; give an integer from 1 to 2147483647.`),
    );
  });

  it.each([-1, NaN, 2.5, 2 ** 53])('refuses the seed %d at once, not in the first epoch', (seed) => {
    expect(() => shuffled(4, { seed })).toThrow(
      new RangeError(`seed is ${seed}; give an integer from 0 to 9007199254740991.`),
    );
  });

  it('refuses bad epochs, starts and counts', () => {
    const sampler = shuffled(4, { seed: 0 });
    expect(() => sampler.epoch(-1)).toThrow(
      new RangeError('epoch index is -1; give an integer from 0 to 9007199254740991.'),
    );
    expect(() => sampler.epoch(0, 5)).toThrow(new RangeError('startAt is 5; give an integer from 0 to 4.'));
    expect(() => sampler.epoch(0).take(0)).toThrow(
      new RangeError('count is 0; give an integer from 1 to 9007199254740991.'),
    );
  });
});
