import type { SeededRandom } from '@batchwise/sampler';

/** How many examples of similar length follow one another: a number of them, or as many as fill so many padded tokens. */
export type GroupLimit = { readonly examples: number } | { readonly tokens: number };

/** Part of an epoch in its final order. */
export interface Pool {
  /** Places in the pool's members, as they came. */
  readonly places: Int32Array;
  /** Where each group ends in `places`, ascending. */
  readonly ends: readonly number[];
}

/** What decides the order within a pool. */
export interface PoolOptions {
  readonly limit: GroupLimit;
  readonly random: SeededRandom;
  /** Whether the group of the longest comes first. */
  readonly longestFirst: boolean;
}

/**
 * Sorts a pool by padded length, cuts it into groups and shuffles those. Members of one padded length stay in the order
 * in which they came, so a shuffled pool gives new groups each time even where lengths repeat.
 *
 * @param lengths padded, one per member
 */
export function groupByLength(lengths: Int32Array, { limit, random, longestFirst }: PoolOptions): Pool {
  const sorted = Int32Array.from(lengths, (_, place) => place).sort(
    (a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b,
  );
  const groups = cut(sorted, lengths, limit);
  // A short last group stays last: batches of a group's size then stay whole groups up to the end of the epoch.
  const isShort = 'examples' in limit && (groups.at(-1)?.length ?? 0) < limit.examples;
  const head = longestFirst ? 1 : 0;
  const tail = Math.max(head, groups.length - (isShort ? 1 : 0));
  const ordered = [
    ...groups.slice(0, head),
    ...inRandomOrder(groups.slice(head, tail), random),
    ...groups.slice(tail),
  ];

  const places = new Int32Array(lengths.length);
  const ends: number[] = [];
  let filled = 0;
  for (const group of ordered) {
    places.set(group, filled);
    filled += group.length;
    ends.push(filled);
  }
  return { places, ends };
}

function cut(descending: Int32Array, lengths: Int32Array, limit: GroupLimit): Int32Array[] {
  const groups: Int32Array[] = [];
  for (let start = 0; start < descending.length;) {
    const longest = lengths[descending[start] ?? 0] ?? 1;
    const count = 'examples' in limit ? limit.examples : Math.floor(limit.tokens / longest);
    groups.push(descending.subarray(start, start + count));
    start += count;
  }
  return groups;
}

/** All orders are equally likely, but for ties of 53-bit keys. */
const inRandomOrder = <T>(items: readonly T[], random: SeededRandom): T[] =>
  items
    .map((item) => ({ item, key: random.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
