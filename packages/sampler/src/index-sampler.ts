import { requireInteger } from './require-integer.ts';

/**
 * An order in which the examples of a data set are visited. The order depends on the sampler and the epoch index
 * only, never on how it is cut into batches.
 */
export interface IndexSampler {
  /** Examples per epoch, 1 to 2³¹ − 1. */
  readonly size: number;
  /**
   * The order of epoch `index` (0, 1, 2, …), from its `startAt`-th example on (0 where it is not given, `size` for an
   * epoch that is already over). Two cursors of one epoch do not disturb each other.
   * @throws RangeError when `index` is not an integer of 0 or more, or `startAt` not one from 0 to `size`
   */
  epoch(index: number, startAt?: number): IndexCursor;
}

/** A position in one epoch. */
export interface IndexCursor {
  /**
   * The indices of the next `count` examples, fewer where the epoch ends, and an empty array once it is over.
   * `count` may differ from call to call. The array is the caller's own.
   * @throws RangeError when `count` is not an integer of 1 or more
   */
  take(count: number): Int32Array;
}

/** Reads the positions `from` up to, not including, `to` of one epoch into a new array. */
export type ReadPositions = (from: number, to: number) => Int32Array;

/** An `IndexSampler` whose epochs can be read at any position; `order` is asked once per cursor. */
export function randomAccessSampler(size: number, order: (epoch: number) => ReadPositions): IndexSampler {
  return {
    size,
    epoch(index, startAt = 0) {
      requireInteger('epoch index', index, { from: 0, to: Number.MAX_SAFE_INTEGER });
      requireInteger('startAt', startAt, { from: 0, to: size });
      const read = order(index);
      let position = startAt;
      return {
        take(count) {
          requireInteger('count', count, { from: 1, to: Number.MAX_SAFE_INTEGER });
          const from = position;
          position = Math.min(size, from + count);
          return read(from, position);
        },
      };
    },
  };
}
