import {
  derivedSeed,
  MAX_SIZE,
  passFeedback,
  populationOf,
  requireInteger,
  requirePosition,
  shuffled,
  type IndexCursor,
  type IndexSampler,
} from '@batchwise/sampler';
import { beginningWith } from './beginning-with.ts';
import type { GroupLimit } from './length-groups.ts';
import { checkedLengths, paddedLength, type Padding } from './padding.ts';
import { poolReader, type LoadedPool, type PoolPlan } from './pool-reader.ts';
import { rowsWithin, type TokenBatchOptions } from './token-budget.ts';

/** What decides the order. */
export interface BucketedOptions {
  /** An integer from 0 to 2⁵³ − 1; the same seed gives the same orders on every machine. */
  readonly seed: number;
  /**
   * How long a stretch of similar lengths is. A batch that divides `examples`, or `tokens` where batches are taken by
   * tokens, never reaches into the next stretch: give the largest batch that the run may take. Larger groups waste less
   * at other sizes, smaller ones mix more.
   */
  readonly group: GroupLimit;
  /**
   * Examples that are sorted together; larger pools waste less, smaller ones keep more randomness in which examples
   * meet. Rounded up to whole groups where `group` is by examples. 50 groups where it is not given, but at most a
   * quarter of the data (the choice of Hugging Face's `group_by_length`).
   */
  readonly poolSize?: number;
  /** Lengths that are padded to the same count as equal: examples among them are mixed freely. */
  readonly padding?: Padding;
  /** The order that pools are read from; `shuffled(lengths.length, { seed })` where it is not given. */
  readonly order?: IndexSampler;
  /**
   * Whether each epoch begins with the longest example and its like, so that a batch that does not fit into memory shows
   * at once. Over an `order` of your own these are the longest of its first pool. Default true.
   */
  readonly longestFirst?: boolean;
}

/** An order in which neighbours have similar lengths. */
export interface BucketedSampler extends IndexSampler {
  epoch(index: number, startAt?: number): BucketedCursor;
}

/** A position in one epoch; both ways of taking a batch read the same order, and may alternate. */
export interface BucketedCursor extends IndexCursor {
  /**
   * The next examples of one group, as many as fit when each is padded to the longest of them; empty once the epoch is
   * over. `startAt` of a resumed run is the number of examples taken so far.
   * @throws RangeError when `maxTokens` does not hold the next sequence, naming both; nothing was taken then
   */
  takeTokens(maxTokens: number, options?: TokenBatchOptions): Int32Array;
}

/**
 * Length buckets that leave the batch size open. Pools of shuffled examples are sorted by padded length, longest first,
 * and cut into groups, whose order is shuffled: any batch then holds similar lengths, except where it reaches from one
 * group into the next. The order is given by the seed, the epoch and what `order` learned; not by how it is cut.
 * Gradient noise must not be measured within its batches, whose examples are alike: `independent` is the unsorted order.
 *
 * @param lengths in tokens, of all examples; copied
 * @throws RangeError when a length, the group, the pool or the padding makes no sense, a sequence exceeds the group's
 *   tokens, or `order` is of another population
 */
export function bucketed(lengths: ArrayLike<number>, options: BucketedOptions): BucketedSampler {
  const plan = planOf(checkedLengths(lengths), options);
  const { order, padded } = plan;
  const { observe, ...feedback } = passFeedback(order);
  let observations = 0;
  const changes = (): number => observations + (order.changes?.() ?? 0);
  return {
    size: order.size,
    population: padded.length,
    independent: order.independent ?? order,
    epoch(index, startAt = 0) {
      requirePosition(order.size, index, startAt);
      return openEpoch(plan, poolReader(plan, index, changes), startAt);
    },
    ...feedback,
    ...(observe && {
      observe(indices: ArrayLike<number>, losses: ArrayLike<number>) {
        observe(indices, losses);
        observations += 1;
      },
    }),
  };
}

function openEpoch(
  { order, padded }: PoolPlan,
  poolAt: (position: number) => LoadedPool,
  startAt: number,
): BucketedCursor {
  let position = startAt;
  let weights: Float32Array | undefined;
  const take = (count: number): Int32Array => {
    requireInteger('count', count, { from: 1 });
    const indices = new Int32Array(Math.min(count, order.size - position));
    weights = undefined;
    for (let filled = 0; filled < indices.length;) {
      const pool = poolAt(position);
      const from = position - pool.start;
      const to = Math.min(pool.indices.length, from + indices.length - filled);
      indices.set(pool.indices.subarray(from, to), filled);
      if (pool.weights)
        (weights ??= new Float32Array(indices.length).fill(1)).set(pool.weights.subarray(from, to), filled);
      filled += to - from;
      position += to - from;
    }
    return indices;
  };
  return {
    take,
    takeTokens(maxTokens, options = {}) {
      if (position === order.size) return take(1);
      const pool = poolAt(position);
      const from = position - pool.start;
      const index = pool.indices[from] ?? 0;
      const count = (pool.ends.find((end) => end > from) ?? from + 1) - from;
      return take(rowsWithin(maxTokens, { index, paddedTokens: padded[index] ?? 1, count }, options));
    },
    get weights() {
      return weights;
    },
  };
}

function planOf(lengths: Int32Array, options: BucketedOptions): PoolPlan {
  const { seed, group, longestFirst = true } = options;
  const padded = lengths.map(paddedLength(options.padding));
  const longest = padded.reduce((best, length, index) => (length > (padded[best] ?? 0) ? index : best), 0);
  requireGroup(group, longest, padded);
  const own = shuffled(lengths.length, { seed });
  const order = options.order ?? (longestFirst ? beginningWith(longest, own) : own);
  if (populationOf(order) !== lengths.length) {
    throw new RangeError(
      `bucketed got ${lengths.length} lengths and an order of population ${populationOf(order)}; give one length per example.`,
    );
  }
  const asked = options.poolSize ?? defaultPoolSize(padded, group);
  requireInteger('poolSize', asked, { from: 1, to: MAX_SIZE });
  const poolSize = wholeGroups(asked, group);
  return { order, padded, group, poolSize, groupSeed: derivedSeed(seed, 0), longestFirst };
}

function requireGroup(group: GroupLimit, longest: number, padded: Int32Array): void {
  if ('examples' in group) return requireInteger('group.examples', group.examples, { from: 1, to: MAX_SIZE });
  requireInteger('group.tokens', group.tokens, { from: 1 });
  const needed = padded[longest] ?? 0;
  if (group.tokens >= needed) return;
  throw new RangeError(
    `group.tokens is ${group.tokens}, and example ${longest} alone has ${needed} padded tokens; give at least as many, or truncate it.`,
  );
}

/** A pool that ended within a group would shift the groups of the next one against batches of their size. */
function wholeGroups(poolSize: number, group: GroupLimit): number {
  if (!('examples' in group)) return poolSize;
  return Math.min(MAX_SIZE, Math.ceil(poolSize / group.examples) * group.examples);
}

/** Whole groups: 50 of them, or what makes a quarter of the data; one at least. */
function defaultPoolSize(padded: Int32Array, group: GroupLimit): number {
  const meanLength = padded.reduce((sum, length) => sum + length, 0) / padded.length;
  const perGroup = 'examples' in group ? group.examples : group.tokens / meanLength;
  const groups = Math.min(50, Math.max(1, Math.floor(padded.length / (4 * perGroup))));
  return Math.min(MAX_SIZE, Math.ceil(groups * perGroup));
}
