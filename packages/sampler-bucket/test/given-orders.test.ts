import { concatenated, sequential, type IndexSampler } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { bucketed } from '../src/index.ts';
import { learning, readAll, turning, unevenLengths } from './support.ts';

describe('an order of which a part has weights', () => {
  it('weighs the others by 1', () => {
    const order = concatenated([sequential(8), learning()]);
    const options = { seed: 1, group: { examples: 4 }, poolSize: 4, order };
    const cursor = bucketed(unevenLengths(16), options).epoch(0);
    const indices = cursor.take(16);
    expect(cursor.weights).toEqual(Float32Array.from(indices, (index) => Math.max(1, index - 7)));
  });
});

describe('an order that is changed from outside', () => {
  it('is read anew from there on, as a run does that goes on from its state', () => {
    const lengths = [4, 8, 2, 6, 1, 3, 5, 7];
    const over = (order: IndexSampler) =>
      bucketed(lengths, { seed: 1, group: { examples: 2 }, poolSize: 4, order });
    const order = turning();
    const sampler = over(order);
    const cursor = sampler.epoch(0);
    expect([...cursor.take(3)].every((index) => index < 4)).toBe(true);
    order.turnTo(2);
    expect([sampler.state?.(), sampler.changes?.()]).toEqual([2, 1]);
    expect(readAll(cursor, [5])).toEqual(readAll(over(turning(2)).epoch(0, 3), [2]));
  });
});

describe('an order that learns', () => {
  const lengths = [4, 8, 2, 6, 1, 3, 5, 7];
  const make = () => bucketed(lengths, { seed: 1, group: { examples: 2 }, poolSize: 4, order: learning() });

  it('leads each weight along with its example', () => {
    const cursor = make().epoch(0);
    expect(cursor.weights).toBeUndefined();
    for (const count of [3, 4, 1]) {
      const indices = cursor.take(count);
      expect([...(cursor.weights ?? [])]).toEqual([...indices].map((example) => example + 1));
    }
  });

  it('passes losses and state on, and reads the rest of the pool anew', () => {
    const sampler = make();
    const cursor = sampler.epoch(0);
    const before = [...cursor.take(3)];
    expect([...before].every((index) => index < 4)).toBe(true);
    sampler.observe?.([2], [5]);
    expect(sampler.state?.()).toEqual({ last: 2, loss: 5 });
    const rest = readAll(cursor, [5]);
    const fresh = make();
    fresh.observe?.([2], [5]);
    expect(rest).toEqual(readAll(fresh.epoch(0, 3), [2]));
    // Its first pool is now 2, 3, 4, 5, the second one 6, 7, 0, 1.
    expect([2, 3, 4, 5]).toContain(rest[0]);
    expect(rest.slice(1).sort()).toEqual([0, 1, 6, 7]);
  });

  it('has no weights once the epoch is over', () => {
    const cursor = make().epoch(0, 7);
    expect(cursor.takeTokens(9)).toHaveLength(1);
    expect(cursor.weights).toHaveLength(1);
    expect(cursor.takeTokens(9)).toHaveLength(0);
    expect(cursor.weights).toBeUndefined();
  });

  it('says so when it ends before its size', () => {
    const short: IndexSampler = { ...sequential(3), size: 8, population: 8 };
    const cursor = bucketed(lengths, { seed: 1, group: { examples: 2 }, poolSize: 4, order: short }).epoch(0);
    expect(() => cursor.take(1)).toThrow(
      new RangeError(
        'The order gave 3 examples from position 0 on, where its size promised 4; correct its size.',
      ),
    );
  });

  it('asks for no losses where the order does not', () => {
    const plain = bucketed(lengths, { seed: 1, group: { examples: 2 } });
    expect(plain.observe).toBeUndefined();
    expect(plain.state).toBeUndefined();
  });
});
