import { seededRandom } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { hardest } from '../../src/pool/index.ts';
import { range } from '../support.ts';

describe('hardest', () => {
  it('gives the positions of the largest losses, hardest first, earlier ones first where equal', () => {
    expect(hardest([0.3, 2, 0.1, 2, 5], { count: 3 })).toEqual(Int32Array.of(4, 1, 3));
    expect(hardest([0.3, -2, 0.1], { count: 3 })).toEqual(Int32Array.of(0, 2, 1));
  });

  it('takes losses that are not finite last', () => {
    expect(hardest([NaN, 1, Infinity, 0, -Infinity], { count: 4 })).toEqual(Int32Array.of(1, 3, 0, 2));
  });

  it('explores those that are not the hardest, each equally often and none twice', () => {
    const losses = range(10);
    const counts = range(10).map(() => 0);
    for (let turn = 0; turn < 7000; turn++) {
      const kept = hardest(losses, { count: 5, explore: { share: 0.5, random: seededRandom(1, turn) } });
      expect([...kept.subarray(0, 3)]).toEqual([9, 8, 7]);
      expect(new Set(kept).size).toBe(5);
      for (const position of kept.subarray(3)) counts[position] = (counts[position] ?? 0) + 1;
    }
    expect(counts.slice(7)).toEqual([0, 0, 0]);
    expect(chiSquare(counts.slice(0, 7))).toBeLessThan(chiSquareLimit(6));
  });

  it('refuses what makes no sense', () => {
    expect(() => hardest([1, 2], { count: 3 })).toThrow(
      new RangeError('count is 3; give an integer from 1 to 2.'),
    );
    expect(() => hardest([], { count: 1 })).toThrow(
      new RangeError('count is 1; give an integer from 1 to 0.'),
    );
    expect(() => hardest([1], { count: 1, explore: { share: 2, random: seededRandom(1) } })).toThrow(
      new RangeError('explore.share is 2; give a number from 0 to 1.'),
    );
  });
});
