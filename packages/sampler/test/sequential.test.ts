import { describe, expect, it } from 'vitest';
import { sequential } from '../src/index.ts';
import { orderOf, readAll } from './support.ts';

describe('sequential', () => {
  it('counts up in every epoch, in batches of the sizes asked for', () => {
    const sampler = sequential(10);
    const cursor = sampler.epoch(0);
    expect(cursor.take(3)).toEqual(Int32Array.of(0, 1, 2));
    expect(cursor.take(1)).toEqual(Int32Array.of(3));
    expect(cursor.take(5)).toEqual(Int32Array.of(4, 5, 6, 7, 8));
    expect(cursor.take(5)).toEqual(Int32Array.of(9));
    expect(cursor.take(5)).toEqual(new Int32Array());
    expect(cursor.take(1)).toEqual(new Int32Array());
    expect(orderOf(sampler, 7)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('skips exactly startAt examples', () => {
    for (let startAt = 0; startAt <= 6; startAt++) {
      expect(readAll(sequential(6).epoch(0, startAt), [4])).toEqual([0, 1, 2, 3, 4, 5].slice(startAt));
    }
  });

  it('tells its size, the largest one too', () => {
    expect(sequential(5).size).toBe(5);
    const largest = sequential(2 ** 31 - 1);
    expect(largest.epoch(0, 2 ** 31 - 3).take(9)).toEqual(Int32Array.of(2147483645, 2147483646));
  });

  it.each([0, -1, NaN, 2.5, Infinity, 2 ** 31])('refuses the size %d', (size) => {
    expect(() => sequential(size)).toThrow(
      new RangeError(`size is ${size}; give an integer from 1 to 2147483647.`),
    );
  });

  it.each([0, -1, NaN, 1.5, Infinity])('refuses to take %d examples', (count) => {
    const cursor = sequential(4).epoch(0);
    expect(() => cursor.take(count)).toThrow(
      new RangeError(`count is ${count}; give an integer from 1 to 9007199254740991.`),
    );
    expect(cursor.take(1)).toEqual(Int32Array.of(0));
  });

  it.each([-1, 5, NaN, 0.5])('refuses to start an epoch of four at %d', (startAt) => {
    expect(() => sequential(4).epoch(0, startAt)).toThrow(
      new RangeError(`startAt is ${startAt}; give an integer from 0 to 4.`),
    );
  });

  it.each([-1, NaN, 0.5, 2 ** 53])('refuses the epoch index %d', (index) => {
    expect(() => sequential(4).epoch(index)).toThrow(
      new RangeError(`epoch index is ${index}; give an integer from 0 to 9007199254740991.`),
    );
  });
});
