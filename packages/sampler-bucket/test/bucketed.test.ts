import { sequential, shuffled, type IndexSampler } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { bucketed } from '../src/index.ts';
import { orderOf, range, unevenLengths } from './support.ts';

describe('the order', () => {
  // By length: 1 (9), 3 (7), 4 (5), 0 (3), 5 (2), 2 (1).
  const lengths = [3, 9, 1, 7, 5, 2];
  const pairs = { group: { examples: 2 }, poolSize: 6, order: sequential(6) };

  it('sorts a pool, cuts it into groups and shuffles these behind the longest', () => {
    const orders = range(40).map((seed) => orderOf(bucketed(lengths, { ...pairs, seed }), 0).join(' '));
    expect([...new Set(orders)].sort()).toEqual(['1 3 4 0 5 2', '1 3 5 2 4 0']);
  });

  it('gives each order of the groups equally often, over epochs and over seeds', () => {
    for (const orderAt of [
      (k: number) => orderOf(bucketed(lengths, { ...pairs, seed: 5, longestFirst: false }), k),
      (k: number) => orderOf(bucketed(lengths, { ...pairs, seed: k, longestFirst: false }), 7),
    ]) {
      const counts = new Map<string, number>();
      for (let k = 0; k < 6000; k++) {
        const order = orderAt(k).join(' ');
        counts.set(order, (counts.get(order) ?? 0) + 1);
      }
      expect(counts.size).toBe(6);
      expect(chiSquare([...counts.values()])).toBeLessThan(chiSquareLimit(5));
    }
  });

  it('keeps examples of one padded length in the order that they came in', () => {
    // Padded to fours: 4, 12, 4, 8, 8, 4.
    const sampler = bucketed(lengths, { ...pairs, seed: 1, poolSize: 6, padding: { toMultipleOf: 4 } });
    const groups = ['1 3', '4 0', '2 5'];
    const order = orderOf(sampler, 0);
    expect(
      [order.slice(0, 2), order.slice(2, 4), order.slice(4)].map((group) => group.join(' ')).sort(),
    ).toEqual(groups.sort());
  });

  it('reads pools one after another from the order it is given', () => {
    const order = shuffled(100, { seed: 8 });
    const sampler = bucketed(unevenLengths(100), { seed: 3, group: { examples: 8 }, poolSize: 32, order });
    const given = orderOf(order, 4);
    const got = orderOf(sampler, 4);
    for (const start of [0, 32, 64, 96]) {
      const ascending = (part: readonly number[]) => part.slice(start, start + 32).sort((a, b) => a - b);
      expect(ascending(got)).toEqual(ascending(given));
    }
  });

  it('offers the order that pools are read from to measure by, without the longest at its front', () => {
    const lengths = unevenLengths(100);
    const group = { examples: 8 };
    const measuringOrder = ({ independent }: IndexSampler) => independent && orderOf(independent, 4);
    const own = orderOf(shuffled(100, { seed: 3 }), 4);
    expect(measuringOrder(bucketed(lengths, { seed: 3, group }))).toEqual(own);
    expect(measuringOrder(bucketed(lengths, { seed: 3, group, longestFirst: false }))).toEqual(own);
    const order = shuffled(100, { seed: 8 });
    expect(measuringOrder(bucketed(lengths, { seed: 3, group, order }))).toEqual(orderOf(order, 4));
    const sorted = { ...sequential(100), independent: order };
    expect(measuringOrder(bucketed(lengths, { seed: 3, group, order: sorted }))).toEqual(orderOf(order, 4));
  });

  it('holds stretches of like lengths: a group never mixes with the next shorter one of its pool', () => {
    const lengths = unevenLengths(640);
    const order = orderOf(bucketed(lengths, { seed: 3, group: { examples: 16 }, poolSize: 160 }), 1);
    for (let start = 0; start < 640; start += 160) {
      const groups = range(10).map((k) =>
        order.slice(start + 16 * k, start + 16 * k + 16).map((index) => lengths[index] ?? 0),
      );
      const byLength = groups.map((group) => ({ longest: Math.max(...group), shortest: Math.min(...group) }));
      byLength.sort((a, b) => b.longest - a.longest || b.shortest - a.shortest);
      byLength.slice(1).forEach(({ longest }, k) => {
        expect(longest).toBeLessThanOrEqual(byLength[k]?.shortest ?? NaN);
      });
      for (const group of groups) expect(group).toEqual([...group].sort((a, b) => b - a));
    }
  });

  it('puts a short group last, so that later batches stay whole groups', () => {
    const lengths = unevenLengths(30);
    for (const seed of range(10)) {
      const order = orderOf(bucketed(lengths, { seed, group: { examples: 8 }, poolSize: 30 }), 0);
      const shortest = [...lengths].sort((a, b) => a - b).slice(0, 6);
      expect(order.slice(24).map((index) => lengths[index])).toEqual(shortest.reverse());
    }
  });

  it('groups by tokens: as many examples as fit at the length of the longest', () => {
    // 20 tokens: 9 · 2 = 18, then 5 · 4 = 20 (5, 3, 2, 1), in one pool.
    const options = { seed: 1, group: { tokens: 20 }, poolSize: 6, order: sequential(6) };
    expect(orderOf(bucketed(lengths, options), 0)).toEqual([1, 3, 4, 0, 5, 2]);
    const takes = bucketed(lengths, options).epoch(0);
    expect([takes.takeTokens(20), takes.takeTokens(20), takes.takeTokens(20)]).toEqual([
      Int32Array.of(1, 3),
      Int32Array.of(4, 0, 5, 2),
      new Int32Array(),
    ]);
  });

  it('mixes equal lengths as a plain shuffle does: each example in each place equally often', () => {
    const size = 20;
    const table = range(size * size).map(() => 0);
    for (let epoch = 0; epoch < 4000; epoch++) {
      const equal = Array.from({ length: size }, () => 7);
      const sampler = bucketed(equal, { seed: 5, group: { examples: 4 }, poolSize: 8, longestFirst: false });
      orderOf(sampler, epoch).forEach((example, place) => {
        table[place * size + example] = (table[place * size + example] ?? 0) + 1;
      });
    }
    expect(chiSquare(table)).toBeLessThan(chiSquareLimit((size - 1) ** 2));
  });

  it('lets the same examples meet seldom: pools change from epoch to epoch', () => {
    // 64 equal lengths in groups of 8: two given examples share a group in 7 of 63 epochs.
    const equal = Array.from({ length: 64 }, () => 3);
    const sampler = bucketed(equal, { seed: 2, group: { examples: 8 }, poolSize: 32, longestFirst: false });
    let met = 0;
    const epochs = 9000;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = orderOf(sampler, epoch);
      if (Math.floor(order.indexOf(0) / 8) === Math.floor(order.indexOf(1) / 8)) met += 1;
    }
    // Six standard errors of a binomial share.
    expect(Math.abs(met / epochs - 1 / 9)).toBeLessThan(6 * Math.sqrt(((1 / 9) * (8 / 9)) / epochs));
  });
});

describe('longest first', () => {
  const lengths = unevenLengths(500);
  const longest = lengths.indexOf(Math.max(...lengths));

  it('begins each epoch with the longest of all', () => {
    const sampler = bucketed(lengths, { seed: 3, group: { examples: 16 }, poolSize: 64 });
    for (const epoch of range(20)) {
      const order = orderOf(sampler, epoch);
      expect(order[0]).toBe(longest);
      expect([...order].sort((a, b) => a - b)).toEqual(range(500));
    }
  });

  it('shuffles the others as before: each stands in each pool equally often', () => {
    const sampler = bucketed(lengths, { seed: 3, group: { examples: 10 }, poolSize: 100 });
    const counts = range(5).map(() => 0);
    for (let epoch = 0; epoch < 2000; epoch++) {
      const pool = Math.floor(orderOf(sampler, epoch).indexOf(17) / 100);
      counts[pool] = (counts[pool] ?? 0) + 1;
    }
    // The longest has one of the first pool's hundred places.
    const shares = [99, 100, 100, 100, 100].map((places) => places / 499);
    expect(chiSquare(counts, shares)).toBeLessThan(chiSquareLimit(4));
  });

  it('can be left out', () => {
    const sampler = bucketed(lengths, { seed: 3, group: { examples: 16 }, longestFirst: false });
    expect(range(20).filter((epoch) => orderOf(sampler, epoch)[0] === longest).length).toBeLessThan(3);
  });
});

describe('the pool', () => {
  it('is 50 groups, at most a quarter of the data, one group at least', () => {
    // With sequential order and falling lengths, pools show as the stretches that begin anew.
    const poolOf = (size: number, examples: number) => {
      const rising = range(size).map((k) => k + 1);
      const sampler = bucketed(rising, { seed: 1, group: { examples }, order: sequential(size) });
      const order = orderOf(sampler, 0);
      return range(size).find((k) => k > 0 && Math.max(...order.slice(0, k)) === k - 1 && k % examples === 0);
    };
    expect(poolOf(10_000, 16)).toBe(50 * 16);
    expect(poolOf(1000, 16)).toBe(15 * 16);
    expect(poolOf(40, 16)).toBe(16);
  });
});

describe('a pool of one’s own size', () => {
  const lengths = unevenLengths(200);
  const pools = (group: { examples: number } | { tokens: number }, poolSize: number) =>
    orderOf(bucketed(lengths, { seed: 1, group, poolSize, order: sequential(200) }), 0);

  it('is rounded up to whole groups of examples, so that their batches reach into no other', () => {
    const order = pools({ examples: 32 }, 50);
    expect(order).toEqual(pools({ examples: 32 }, 64));
    for (let start = 0; start < 200; start += 32) {
      const group = order.slice(start, start + 32).map((index) => lengths[index] ?? 0);
      expect(group).toEqual([...group].sort((a, b) => b - a));
    }
    expect(pools({ examples: 32 }, 2 ** 31 - 1)).toEqual(pools({ examples: 32 }, 224));
  });

  it('stays as it is over groups of tokens', () => {
    const first = pools({ tokens: 100 }, 50).slice(0, 50);
    expect(first.sort((a, b) => a - b)).toEqual(range(50));
  });
});

describe('bad input', () => {
  const group = { examples: 2 };
  it.each<[string, () => unknown]>([
    ['There are no sequences; give at least one.', () => bucketed([], { seed: 1, group })],
    [
      'The number of sequences is 2147483648; give an integer from 1 to 2147483647.',
      () => bucketed({ length: 2 ** 31 }, { seed: 1, group }),
    ],
    [
      'lengths[1] is 2147483648; give an integer from 1 to 2147483647.',
      () => bucketed([3, 2 ** 31], { seed: 1, group }),
    ],
    [
      'lengths[1] is NaN; give an integer from 1 to 2147483647.',
      () => bucketed([3, NaN], { seed: 1, group }),
    ],
    [
      'lengths[1] is 0; leave empty sequences out of the data, by subset say.',
      () => bucketed([3, 0], { seed: 1, group }),
    ],
    ['lengths[0] is 1.5; give an integer from 1 to 2147483647.', () => bucketed([1.5], { seed: 1, group })],
    ['seed is -1; give an integer from 0 to 9007199254740991.', () => bucketed([3], { seed: -1, group })],
    [
      'group.examples is 0; give an integer from 1 to 2147483647.',
      () => bucketed([3], { seed: 1, group: { examples: 0 } }),
    ],
    [
      'group.tokens is NaN; give an integer from 1 to 9007199254740991.',
      () => bucketed([3], { seed: 1, group: { tokens: NaN } }),
    ],
    [
      'group.tokens is 8, and example 1 alone has 9 padded tokens; give at least as many, or truncate it.',
      () => bucketed([3, 9], { seed: 1, group: { tokens: 8 } }),
    ],
    [
      'poolSize is 0; give an integer from 1 to 2147483647.',
      () => bucketed([3], { seed: 1, group, poolSize: 0 }),
    ],
    [
      'bucketed got 2 lengths and an order of population 3; give one length per example.',
      () => bucketed([1, 2], { seed: 1, group, order: sequential(3) }),
    ],
    [
      'padding.toMultipleOf is 0; give an integer from 1 to 2147483647.',
      () => bucketed([1], { seed: 1, group, padding: { toMultipleOf: 0 } }),
    ],
  ])('is refused: %s', (message, make) => {
    expect(make).toThrow(new RangeError(message));
  });
});
