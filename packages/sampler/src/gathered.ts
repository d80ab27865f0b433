import type { IndexSampler } from './index-sampler.ts';

/** Batches on request; fits the `BatchSource` of @batchwise/core. `Gathered` is a batch, or a promise of one. */
export interface GatheredSource<Gathered> {
  /** Examples per epoch. */
  readonly size: number;
  /** As `IndexSampler.epoch`. */
  epoch(index: number, startAt?: number): GatheredCursor<Gathered>;
}

/** A position in one epoch. */
export interface GatheredCursor<Gathered> {
  /**
   * A batch of at most `count` examples (fewer only at the end), `undefined` once the epoch is over.
   * @throws RangeError when `count` is not an integer of 1 or more
   */
  take(count: number): Gathered | undefined;
}

/**
 * Joins an order with the data: a source of batches, each made by `gather` from the indices of its examples.
 *
 * @param gather answers a batch or a promise of one; never called with an empty array, and the array is its own
 */
export function gathered<Gathered>(
  sampler: IndexSampler,
  gather: (indices: Int32Array) => Gathered,
): GatheredSource<Gathered> {
  return {
    size: sampler.size,
    epoch(index, startAt) {
      const cursor = sampler.epoch(index, startAt);
      return {
        take(count) {
          const indices = cursor.take(count);
          return indices.length === 0 ? undefined : gather(indices);
        },
      };
    },
  };
}
