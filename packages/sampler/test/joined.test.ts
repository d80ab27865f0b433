import { describe, expect, it } from 'vitest';
import {
  concatenated,
  mixed,
  sequential,
  shuffled,
  withReplacement,
  type IndexSampler,
} from '../src/index.ts';
import { adaptive, changed, orderOf, range, readAll } from './support.ts';

describe('concatenated', () => {
  const three = concatenated([sequential(3), shuffled(4, { seed: 1 }), sequential(2)]);

  it('visits one data set after the other, their indices moved up', () => {
    expect([three.size, three.population]).toEqual([9, 9]);
    const middle = orderOf(shuffled(4, { seed: 1 }), 2).map((index) => index + 3);
    expect(orderOf(three, 2)).toEqual([0, 1, 2, ...middle, 7, 8]);
  });

  it('can be cut anywhere and begun anywhere', () => {
    const whole = orderOf(three, 1);
    for (let startAt = 0; startAt <= 9; startAt++)
      for (const counts of [[1], [2], [4, 1], [100]])
        expect(readAll(three.epoch(1, startAt), counts)).toEqual(whole.slice(startAt));
  });

  it('leads losses to the data set they belong to, and has the states of all', () => {
    const [one, other] = [adaptive(3), adaptive(2)];
    const sampler = concatenated([one.sampler, sequential(4), other.sampler]);
    sampler.observe?.([8, 0, 5, 2, 7], [0.8, 0, 0.5, 0.2, 0.7]);
    expect(one.told).toEqual([
      [
        [0, 2],
        [0, 0.2],
      ],
    ]);
    expect(other.told).toEqual([
      [
        [1, 0],
        [0.8, 0.7],
      ],
    ]);
    expect(sampler.state?.()).toEqual([{ told: 2 }, null, { told: 2 }]);
    expect(() => sampler.observe?.([9], [1])).toThrow(
      new RangeError('indices[0] is 9; give an integer from 0 to 8.'),
    );
    expect(three.observe).toBeUndefined();
    expect(three.state).toBeUndefined();
  });

  it('has the states of those that take no losses, and counts the changes of all', () => {
    const sampler = concatenated([changed(3), sequential(2), changed(1)]);
    expect([sampler.state?.(), sampler.changes?.()]).toEqual([['kept', null, 'kept'], 8]);
    expect(sampler.observe).toBeUndefined();
    expect([three.state, three.changes]).toEqual([undefined, undefined]);
  });

  it('weighs examples of samplers without weights by 1', () => {
    const sampler = concatenated([sequential(2), adaptive(2, 3).sampler]);
    const cursor = sampler.epoch(0);
    expect([cursor.take(1), cursor.weights]).toEqual([Int32Array.of(0), undefined]);
    expect([cursor.take(9), cursor.weights]).toEqual([Int32Array.of(1, 2, 3), Float32Array.of(1, 3, 3)]);
  });

  it('says so when a sampler gives fewer examples than it promised', () => {
    const short: IndexSampler = { size: 5, epoch: () => ({ take: () => Int32Array.of(0, 1) }) };
    expect(() => concatenated([short]).epoch(0).take(5)).toThrow(
      new RangeError('A sampler gave 2 examples where its size promised 5; correct its size.'),
    );
  });

  it('refuses none and too many', () => {
    expect(() => concatenated([])).toThrow(
      new RangeError('There are no samplers to join; give one at least.'),
    );
    const large = sequential(2 ** 30);
    expect(() => concatenated([large, large])).toThrow(
      new RangeError('The joined population is 2147483648; give an integer from 1 to 2147483647.'),
    );
  });
});

describe('mixed', () => {
  const small = { sampler: shuffled(4, { seed: 1 }), proportion: 1 };
  const large = { sampler: shuffled(40, { seed: 2 }), proportion: 3 };

  it('has each data set within one of its share at each place', () => {
    const sampler = mixed([small, large], { seed: 3, size: 80 });
    expect([sampler.size, sampler.population]).toEqual([80, 44]);
    const order = orderOf(sampler, 0);
    for (let to = 1; to <= 80; to++) {
      const count = order.slice(0, to).filter((index) => index < 4).length;
      expect(Math.abs(count - to / 4)).toBeLessThan(1);
    }
  });

  it('reads each data set on and on, over its own epochs and those of the mixture', () => {
    const sampler = mixed([small, large], { seed: 3, size: 20 });
    const seen = range(4).flatMap((epoch) => orderOf(sampler, epoch));
    const endless = (part: typeof small, epochs: number) =>
      range(epochs).flatMap((epoch) => orderOf(part.sampler, epoch));
    expect(seen.filter((index) => index < 4)).toEqual(endless(small, 5));
    expect(seen.filter((index) => index >= 4).map((index) => index - 4)).toEqual(
      endless(large, 2).slice(0, 60),
    );
  });

  it('goes on anywhere', () => {
    const sampler = mixed([small, large], { seed: 3 });
    expect(sampler.size).toBe(44);
    const whole = orderOf(sampler, 7);
    for (let startAt = 0; startAt <= 44; startAt++)
      expect(readAll(sampler.epoch(7, startAt), [5, 1])).toEqual(whole.slice(startAt));
  });

  it('hands on weights in their places', () => {
    const sampler = mixed(
      [
        { sampler: sequential(3), proportion: 1 },
        { sampler: adaptive(3, 2).sampler, proportion: 1 },
      ],
      { seed: 3 },
    );
    const cursor = sampler.epoch(0);
    const indices = cursor.take(5);
    expect(cursor.weights).toEqual(Float32Array.from(indices, (index) => (index < 3 ? 1 : 2)));
    cursor.take(5);
    cursor.take(5);
    expect(cursor.weights).toBeUndefined();
  });

  it('weighs by 1 where only some epochs of a part, or some stretches of one, have weights', () => {
    const part = concatenated([sequential(4), adaptive(3, 5).sampler]);
    const sampler = mixed(
      [
        { sampler: part, proportion: 1 },
        { sampler: sequential(7), proportion: 1 },
      ],
      { seed: 1, size: 20 },
    );
    for (const epoch of range(3)) {
      const cursor = sampler.epoch(epoch);
      const indices = cursor.take(20);
      const expected = Float32Array.from(indices, (index) => (index >= 4 && index < 7 ? 5 : 1));
      expect(cursor.weights).toEqual(expected);
    }
  });

  it('refuses proportions and sizes that make no sense', () => {
    expect(() => mixed([], { seed: 1 })).toThrow(
      new RangeError('There are no samplers to join; give one at least.'),
    );
    expect(() => mixed([{ ...small, proportion: 0 }], { seed: 1 })).toThrow(
      new RangeError('proportions[0] is 0; give a number above 0.'),
    );
    expect(() => mixed([small], { seed: 1, size: 1.5 })).toThrow(
      new RangeError('size is 1.5; give an integer from 1 to 2147483647.'),
    );
    expect(() => mixed([small], { seed: NaN })).toThrow(
      new RangeError('seed is NaN; give an integer from 0 to 9007199254740991.'),
    );
  });

  it('refuses epochs and populations of more examples than there are indices', () => {
    const largest = { sampler: withReplacement(1, { seed: 1, size: 2 ** 31 - 1 }), proportion: 1 };
    expect(() => mixed([largest, largest], { seed: 1 })).toThrow(
      new RangeError('size is 4294967294; give an integer from 1 to 2147483647.'),
    );
    expect(() => mixed([small], { seed: 1, size: 2 ** 31 })).toThrow(
      new RangeError('size is 2147483648; give an integer from 1 to 2147483647.'),
    );
    const half = { sampler: sequential(2 ** 30), proportion: 1 };
    expect(() => mixed([half, half], { seed: 1, size: 2 })).toThrow(
      new RangeError('The joined population is 2147483648; give an integer from 1 to 2147483647.'),
    );
    // One example less is no longer too many.
    const almost = { sampler: sequential(2 ** 30 - 1), proportion: 1 };
    expect(mixed([half, almost], { seed: 1, size: 2 })).toMatchObject({ size: 2, population: 2 ** 31 - 1 });
  });
});
