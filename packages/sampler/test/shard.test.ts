import { describe, expect, it } from 'vitest';
import { sequential, shard, shuffled } from '../src/index.ts';
import { adaptive, orderOf, range, readAll } from './support.ts';

const whole = shuffled(23, { seed: 1 });
const workers = (world: number) => range(world).map((rank) => shard(whole, { rank, world }));

describe('shard', () => {
  it.each([1, 2, 3, 5, 23])(
    'divides an epoch among %d workers, nothing twice and nothing left out',
    (world) => {
      const parts = workers(world);
      expect(parts.map(({ size }) => size)).toEqual(
        range(world).map((rank) => Math.ceil((23 - rank) / world)),
      );
      expect(parts.flatMap((part) => orderOf(part, 2)).sort((a, b) => a - b)).toEqual(range(23));
      expect(parts[0]?.population).toBe(23);
    },
  );

  it('has in each step the examples that one worker alone would have had, while the batch changes', () => {
    const cursors = workers(3).map((part) => part.epoch(4));
    const alone = whole.epoch(4);
    for (const each of [1, 3, 2, 1]) {
      const step = cursors.flatMap((cursor) => [...cursor.take(each)]);
      expect(step.sort()).toEqual([...alone.take(3 * each)].sort());
    }
    // Two examples are left for three workers.
    expect(cursors.map((cursor) => cursor.take(5).length)).toEqual([1, 1, 0]);
    expect(cursors.map((cursor) => cursor.take(5).length)).toEqual([0, 0, 0]);
  });

  it('goes on anywhere', () => {
    for (const part of workers(4)) {
      const order = orderOf(part, 1);
      for (let startAt = 0; startAt <= part.size; startAt++)
        expect(readAll(part.epoch(1, startAt), [2, 1])).toEqual(order.slice(startAt));
    }
  });

  it('keeps weights with their examples and passes losses on', () => {
    const { sampler, told } = adaptive(7, (index) => index + 1);
    const part = shard(sampler, { rank: 1, world: 3 });
    const cursor = part.epoch(0);
    expect([cursor.take(1), cursor.weights]).toEqual([Int32Array.of(1), Float32Array.of(2)]);
    expect([cursor.take(9), cursor.weights]).toEqual([Int32Array.of(4), Float32Array.of(5)]);
    expect([cursor.take(9), cursor.weights]).toEqual([new Int32Array(), new Float32Array()]);
    part.observe?.([4], [0.5]);
    expect(told).toEqual([[[4], [0.5]]]);
    expect(part.state?.()).toEqual({ told: 1 });
  });

  it('refuses workers that there are not', () => {
    expect(() => shard(whole, { rank: 3, world: 3 })).toThrow(
      new RangeError('rank is 3; give an integer from 0 to 2.'),
    );
    expect(() => shard(sequential(2), { rank: 0, world: 3 })).toThrow(
      new RangeError('world is 3; give an integer from 1 to 2.'),
    );
    expect(() => shard(whole, { rank: 0, world: 0 })).toThrow(
      new RangeError('world is 0; give an integer from 1 to 23.'),
    );
    expect(() => shard(whole, { rank: 0, world: 2 }).epoch(0, 13)).toThrow(
      new RangeError('startAt is 13; give an integer from 0 to 12.'),
    );
  });
});
