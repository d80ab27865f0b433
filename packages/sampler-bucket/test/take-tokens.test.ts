import { sequential } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { bucketed } from '../src/index.ts';
import { batchesOf, orderOf, unevenLengths } from './support.ts';

// In one group, by length: 1 (9), 3 (7), 4 (5), 0 (3), 5 (2), 2 (1).
const lengths = [3, 9, 1, 7, 5, 2];
const oneGroup = { seed: 1, group: { examples: 6 }, poolSize: 6, order: sequential(6) };

describe('takeTokens', () => {
  it.each([
    [9, [[1], [3], [4], [0, 5, 2]]],
    [18, [[1, 3], [4, 0, 5], [2]]],
    [
      27,
      [
        [1, 3, 4],
        [0, 5, 2],
      ],
    ],
    [54, [[1, 3, 4, 0, 5, 2]]],
  ])('fills %d tokens, each sequence as long as the first', (maxTokens, expected) => {
    const cursor = bucketed(lengths, oneGroup).epoch(0);
    expect(batchesOf(() => cursor.takeTokens(maxTokens))).toEqual(expected);
  });

  it('counts padded tokens', () => {
    // Padded to fours: 12, 8, 8, 4, 4, 4; ties stay in the order 3, 4 and 0, 2, 5.
    const cursor = bucketed(lengths, { ...oneGroup, padding: { toMultipleOf: 4 } }).epoch(0);
    expect(batchesOf(() => cursor.takeTokens(16))).toEqual([[1], [3, 4], [0, 2, 5]]);
    const fixed = bucketed(lengths, { ...oneGroup, padding: { toLengths: [10, 5] } }).epoch(0);
    expect(batchesOf(() => fixed.takeTokens(15))).toEqual([[1], [3], [0, 2, 4], [5]]);
  });

  it('cuts to a multiple of rows where there are that many', () => {
    const equal = Array.from({ length: 11 }, () => 10);
    const options = { seed: 1, group: { examples: 11 }, poolSize: 11 };
    const sizes = (maxTokens: number, rowMultiple: number) => {
      const cursor = bucketed(equal, options).epoch(0);
      return batchesOf(() => cursor.takeTokens(maxTokens, { rowMultiple })).map((batch) => batch.length);
    };
    expect(sizes(70, 1)).toEqual([7, 4]);
    expect(sizes(70, 4)).toEqual([4, 4, 3]);
    expect(sizes(70, 3)).toEqual([6, 3, 2]);
    expect(sizes(20, 4)).toEqual([2, 2, 2, 2, 2, 1]);
  });

  it('stays within its group and its budget, and reads the order that take reads', () => {
    const long = unevenLengths(700);
    const sampler = bucketed(long, { seed: 4, group: { examples: 40 }, poolSize: 200 });
    const order = orderOf(sampler, 3);
    for (const maxTokens of [60, 200, 777, 1e9]) {
      const cursor = sampler.epoch(3);
      const batches = batchesOf(() => cursor.takeTokens(maxTokens));
      expect(batches.flat()).toEqual(order);
      let start = 0;
      for (const batch of batches) {
        const longest = Math.max(...batch.map((index) => long[index] ?? 0));
        expect(batch.length * longest).toBeLessThanOrEqual(maxTokens);
        const inPool = start % 200;
        expect(Math.floor(inPool / 40)).toBe(Math.floor((inPool + batch.length - 1) / 40));
        start += batch.length;
      }
    }
  });

  it('may alternate with take, and goes on where a stopped run was', () => {
    const sampler = bucketed(unevenLengths(90), { seed: 4, group: { tokens: 120 }, poolSize: 45 });
    const order = orderOf(sampler, 0);
    const cursor = sampler.epoch(0);
    const seen: number[] = [];
    for (let turn = 0; seen.length < 90; turn++) {
      const resumed = sampler.epoch(0, seen.length);
      const [batch, again] = [cursor, resumed].map((each) =>
        turn % 2 ? each.take(7) : each.takeTokens(100),
      );
      expect(again).toEqual(batch);
      seen.push(...(batch ?? []));
    }
    expect(seen).toEqual(order);
    expect(cursor.takeTokens(100)).toEqual(new Int32Array());
  });

  it('takes nothing when not even one sequence fits', () => {
    const cursor = bucketed(lengths, oneGroup).epoch(0);
    expect(() => cursor.takeTokens(8)).toThrow(
      new RangeError(
        'maxTokens is 8, and example 1 alone has 9 padded tokens; give at least as many, or truncate it.',
      ),
    );
    expect(cursor.takeTokens(18)).toEqual(Int32Array.of(1, 3));
  });

  it.each([0, -5, NaN, 1.5])('refuses the budget %d and the row multiple %d', (number) => {
    const cursor = bucketed(lengths, oneGroup).epoch(0);
    expect(() => cursor.takeTokens(number)).toThrow(
      new RangeError(`maxTokens is ${number}; give an integer from 1 to 9007199254740991.`),
    );
    expect(() => cursor.takeTokens(50, { rowMultiple: number })).toThrow(
      new RangeError(`rowMultiple is ${number}; give an integer from 1 to 2147483647.`),
    );
  });

  it('makes the batches of the usual greedy rule, in another order, where groups have the budget', () => {
    const long = unevenLengths(2000);
    // Over lengths in falling order: close a batch when one more would exceed the budget (fairseq's batch_by_size).
    const greedy: number[][] = [];
    let batch: number[] = [];
    for (const length of [...long].sort((a, b) => b - a)) {
      if ((batch.length + 1) * Math.max(length, ...batch) > 600) {
        greedy.push(batch);
        batch = [];
      }
      batch.push(length);
    }
    greedy.push(batch);

    const cursor = bucketed(long, { seed: 4, group: { tokens: 600 }, poolSize: 2000 }).epoch(0);
    const batches = batchesOf(() => cursor.takeTokens(600)).map((each) => each.map((index) => long[index]));
    const asText = (lists: readonly unknown[][]) => lists.map((list) => list.join(' '));
    expect(asText(batches).sort()).toEqual(asText(greedy).sort());
    expect(asText(batches)).not.toEqual(asText(greedy));
  });
});
