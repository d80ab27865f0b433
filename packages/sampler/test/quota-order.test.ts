import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { apportion, quotaOrder } from '../src/quota-order.ts';
import { seededRandom } from '../src/index.ts';

describe('apportion', () => {
  it('gives what is left to the largest remainders', () => {
    // Of 10 in 1 : 2 : 4 the shares are 1.43, 2.86 and 5.71.
    expect(apportion(10, [1, 2, 4])).toEqual([1, 3, 6]);
    expect(apportion(9, [0.5, 0.25, 0.25])).toEqual([5, 2, 2]);
    expect(apportion(7, [1, 1])).toEqual([4, 3]);
  });

  it.each([0, -1, NaN, Infinity])('refuses the proportion %d', (proportion) => {
    expect(() => apportion(10, [1, proportion])).toThrow(
      new RangeError(`proportions[1] is ${proportion}; give a number above 0.`),
    );
  });

  it('refuses a share of less than one example', () => {
    expect(() => apportion(10, [1, 100])).toThrow(
      new RangeError(
        'proportions[0] is 1, less than one example in an epoch of 10; give a larger size or proportion.',
      ),
    );
  });
});

describe('quotaOrder', () => {
  const cases = [
    [[5]],
    [[1, 1, 1]],
    [[1, 999]],
    [[7, 3, 5]],
    [[1, 2, 4, 8, 16, 32, 64]],
    [[100, 100, 100, 1]],
    [Array.from({ length: 50 }, (_, k) => 1 + ((k * 37) % 23))],
    [Array.from({ length: 300 }, () => 1 + seededRandom(8, 3).below(40))],
  ];

  it.each(cases)('keeps each prefix within one of its share, for %j', (quotas) => {
    const size = quotas.reduce((sum, quota) => sum + quota, 0);
    for (const stream of [0, 1, 2]) {
      const counts = quotas.map(() => 0);
      quotaOrder(quotas, 4, stream).forEach((part, place) => {
        counts[part] = (counts[part] ?? 0) + 1;
        counts.forEach((count, k) => {
          if (Math.abs(count - ((place + 1) * (quotas[k] ?? 0)) / size) >= 1)
            expect.fail(`${count} of part ${k} in ${place + 1} places`);
        });
      });
      expect(counts).toEqual(quotas);
    }
  });

  it('draws among parts that are due at the same time', () => {
    const counts = new Map<string, number>();
    for (let stream = 0; stream < 6000; stream++) {
      const order = quotaOrder([1, 1, 1], 4, stream).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    expect(chiSquare([...counts.values()])).toBeLessThan(chiSquareLimit(5));
  });
});
