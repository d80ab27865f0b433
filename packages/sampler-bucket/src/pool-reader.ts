import { seededRandom, type IndexCursor, type IndexSampler, type SeededRandom } from '@batchwise/sampler';
import { groupByLength, type GroupLimit } from './length-groups.ts';

/** What is the same in all epochs. */
export interface PoolPlan {
  readonly order: IndexSampler;
  /** The padded length of each example. */
  readonly padded: Int32Array;
  readonly group: GroupLimit;
  readonly poolSize: number;
  /** Decides the order of the groups. */
  readonly groupSeed: number;
  readonly longestFirst: boolean;
}

/** A pool of one epoch, in its final order. */
export interface LoadedPool {
  /** The position in the epoch of its first example. */
  readonly start: number;
  readonly indices: Int32Array;
  readonly weights: Float32Array | undefined;
  /** Where each group ends in `indices`, ascending. */
  readonly ends: readonly number[];
}

/**
 * Reads an epoch pool by pool; positions must not go back.
 * @param changes what changes as soon as `order` may have changed its mind: the pool is then read again, so that it
 *   is the one that a resumed run would read
 */
export function poolReader(
  plan: PoolPlan,
  epoch: number,
  changes: () => number,
): (position: number) => LoadedPool {
  const { order, poolSize } = plan;
  let members: IndexCursor | undefined;
  let pool: LoadedPool | undefined;
  let readAt = changes();
  return (position) => {
    const isCurrent = readAt === changes();
    if (pool && isCurrent && position < pool.start + pool.indices.length) return pool;
    const start = position - (position % poolSize);
    if (!isCurrent) members = undefined;
    members ??= order.epoch(epoch, start);
    readAt = changes();
    pool = loadPool(plan, { members, start, random: seededRandom(plan.groupSeed, epoch, start) });
    return pool;
  };
}

/** @throws RangeError when `order` ends before its size */
function loadPool(
  { order, padded, group, poolSize, longestFirst }: PoolPlan,
  { members, start, random }: { readonly members: IndexCursor; start: number; random: SeededRandom },
): LoadedPool {
  const indices = members.take(poolSize);
  const { weights } = members;
  const promised = Math.min(poolSize, order.size - start);
  if (indices.length < promised) {
    throw new RangeError(
      `The order gave ${indices.length} examples from position ${start} on, where its size promised ${promised}; correct its size.`,
    );
  }
  const lengths = indices.map((index) => padded[index] ?? 0);
  const options = { limit: group, random, longestFirst: longestFirst && start === 0 };
  const { places, ends } = groupByLength(lengths, options);
  return {
    start,
    indices: places.map((place) => indices[place] ?? 0),
    weights: weights && Float32Array.from(places, (place) => weights[place] ?? 1),
    ends,
  };
}
