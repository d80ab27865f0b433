import { describe, expect, it } from 'vitest';
import { sequential, shuffled, subset, withReplacement, type IndexSampler } from '../src/index.ts';
import { adaptive, changed, orderOf, range, readAll } from './support.ts';

describe('subset', () => {
  it('visits the given indices in the order of the inner sampler', () => {
    expect(orderOf(subset([50, 7, 7, 3], sequential(4)), 0)).toEqual([50, 7, 7, 3]);
    // shuffled(10, seed 42) begins its epoch 1 with 2, 3, 6, 9.
    const tens = range(10).map((k) => 10 * k + 1);
    expect(
      subset(tens, shuffled(10, { seed: 42 }))
        .epoch(1)
        .take(4),
    ).toEqual(Int32Array.of(21, 31, 61, 91));
  });

  it('splits a data set in two parts without overlap', () => {
    const order = shuffled(100, { seed: 3 }).epoch(0).take(100);
    const train = subset(order.subarray(0, 80), shuffled(80, { seed: 4 }));
    const validation = subset(order.subarray(80), sequential(20));
    expect([train.size, validation.size]).toEqual([80, 20]);
    expect([...orderOf(train, 5), ...orderOf(validation, 0)].sort((a, b) => a - b)).toEqual(range(100));
  });

  it('passes epoch, startAt and the batch size on', () => {
    const inner = shuffled(30, { seed: 3 });
    const sampler = subset(range(30), inner);
    expect(readAll(sampler.epoch(2, 11), [4, 1])).toEqual(orderOf(inner, 2).slice(11));
    expect(() => sampler.epoch(0, 31)).toThrow(
      new RangeError('startAt is 31; give an integer from 0 to 30.'),
    );
    expect(() => sampler.epoch(0).take(0)).toThrow(
      new RangeError('count is 0; give an integer from 1 to 9007199254740991.'),
    );
  });

  it('copies the indices', () => {
    const indices = [5, 6];
    const sampler = subset(indices, sequential(2));
    indices[0] = 99;
    expect(orderOf(sampler, 0)).toEqual([5, 6]);
  });

  it('refuses a sampler of another size', () => {
    expect(() => subset([1, 2, 3], sequential(4))).toThrow(
      new RangeError('subset got 3 indices and a sampler of size 4; make the sampler with indices.length.'),
    );
  });

  it.each([-1, 0.5, NaN, 2 ** 31])('refuses the index %d', (index) => {
    expect(() => subset([0, index], sequential(2))).toThrow(
      new RangeError(`indices[1] is ${index}; give an integer from 0 to 2147483646.`),
    );
  });

  it('says so when the inner sampler leaves its range, instead of training on example 0', () => {
    const wrong: IndexSampler = { size: 2, epoch: () => ({ take: () => Int32Array.of(0, 2) }) };
    const sampler = subset([8, 9], wrong);
    expect(() => sampler.epoch(0).take(2)).toThrow(
      new RangeError('The sampler of a subset gave position 2, outside 0 to 1.'),
    );
  });

  it('leads losses back to the positions of their indices, and keeps weights with them', () => {
    const { sampler, told } = adaptive(4, (position) => 10 * position);
    const part = subset([50, 7, 7, 3], sampler);
    expect(part.population).toBe(51);
    part.observe?.([3, 7], [0.3, 0.7]);
    expect(told).toEqual([
      [
        [3, 2, 1],
        [0.3, 0.7, 0.7],
      ],
    ]);
    expect(part.state?.()).toEqual({ told: 3 });
    const cursor = part.epoch(0, 1);
    expect([cursor.take(2), cursor.weights]).toEqual([Int32Array.of(7, 7), Float32Array.of(10, 20)]);
    expect(() => part.observe?.([3, 8], [1, 1])).toThrow(
      new RangeError('Index 8 is not in the subset; give losses of its own examples only.'),
    );
    expect(() => part.observe?.([3], [1, 1])).toThrow(
      new RangeError('observe got 1 indices and 2 losses; give one loss per index.'),
    );
    expect(told).toHaveLength(1);
    expect([subset([1], sequential(1)).observe, subset([1], sequential(1)).state]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('hands on the state of a sampler that takes no losses', () => {
    const part = subset([50, 7], changed(2));
    expect([part.state?.(), part.changes?.(), part.observe]).toEqual(['kept', 4, undefined]);
  });

  it('takes as many indices as the sampler has a population, not draws', () => {
    const part = subset([10, 20], withReplacement(2, { seed: 1, size: 7 }));
    expect(part.size).toBe(7);
    expect(new Set(orderOf(part, 0))).toEqual(new Set([10, 20]));
  });
});
