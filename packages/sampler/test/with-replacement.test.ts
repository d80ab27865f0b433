import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { withReplacement } from '../src/index.ts';
import { orderOf, readAll } from './support.ts';

describe('withReplacement', () => {
  it('draws all examples equally often, and pairs too', () => {
    const order = orderOf(withReplacement(20, { seed: 1, size: 200_000 }), 0);
    const [singles, pairs] = [new Array<number>(20).fill(0), new Array<number>(400).fill(0)];
    order.forEach((index, k) => {
      singles[index] = (singles[index] ?? 0) + 1;
      const cell = index * 20 + (order[k - 1] ?? 0);
      pairs[cell] = (pairs[cell] ?? 0) + 1;
    });
    expect(chiSquare(singles)).toBeLessThan(chiSquareLimit(19));
    expect(chiSquare(pairs)).toBeLessThan(chiSquareLimit(399));
  });

  it('leaves out about 1/e of the examples of an epoch', () => {
    const size = 100_000;
    const seen = new Set(orderOf(withReplacement(size, { seed: 2 }), 0)).size;
    // Five standard errors: the variance of the number left out is n (1/e) (1 − 2/e).
    expect(Math.abs(size - seen - size / Math.E)).toBeLessThan(
      5 * Math.sqrt((size / Math.E) * (1 - 2 / Math.E)),
    );
  });

  it('goes on at any place, over several streams', () => {
    const sampler = withReplacement(1000, { seed: 3, size: 150_000 });
    const whole = orderOf(sampler, 4);
    for (const startAt of [1, 1024, 70_000, 149_999])
      expect(readAll(sampler.epoch(4, startAt), [513])).toEqual(whole.slice(startAt));
    expect(orderOf(sampler, 5).slice(0, 50)).not.toEqual(whole.slice(0, 50));
  });

  it('draws from far more examples than an epoch has', () => {
    const sampler = withReplacement(2 ** 31 - 1, { seed: 1, size: 3 });
    expect([sampler.size, sampler.population]).toEqual([3, 2 ** 31 - 1]);
    expect(Math.max(...orderOf(withReplacement(2 ** 31 - 1, { seed: 1, size: 1000 }), 0))).toBeGreaterThan(
      0.98 * 2 ** 31,
    );
  });

  it('refuses sizes and seeds that make no sense', () => {
    expect(() => withReplacement(0, { seed: 1, size: 4 })).toThrow(
      new RangeError('population is 0; give an integer from 1 to 2147483647.'),
    );
    expect(() => withReplacement(4, { seed: 1, size: 0.5 })).toThrow(
      new RangeError('size is 0.5; give an integer from 1 to 2147483647.'),
    );
    expect(() => withReplacement(4, { seed: -1 })).toThrow(
      new RangeError('seed is -1; give an integer from 0 to 9007199254740991.'),
    );
    expect(() => withReplacement(2 ** 31, { seed: 1 })).toThrow(
      new RangeError('size is 2147483648; give an integer from 1 to 2147483647.'),
    );
    expect(() => withReplacement(2 ** 31, { seed: 1, size: 1 })).toThrow(
      new RangeError('population is 2147483648; give an integer from 1 to 2147483647.'),
    );
  });
});
