import type { IndexSampler, Json } from './index-sampler.ts';
import { passFeedback } from './pass-feedback.ts';

/** Batches on request; fits the `BatchSource` of @batchwise/core. `Gathered` is a batch, or a promise of one. */
export interface GatheredSource<Gathered> {
  /** Examples per epoch. */
  readonly size: number;
  /** As `IndexSampler.epoch`. */
  epoch(index: number, startAt?: number): GatheredCursor<Gathered>;
  /** As `IndexSampler.state`. */
  state?(): Json;
  /** As `IndexSampler.independent`. */
  readonly independent?: GatheredSource<Gathered>;
}

/** A position in one epoch. */
export interface GatheredCursor<Gathered> {
  /**
   * A batch of at most `count` examples (fewer only at the end), `undefined` once the epoch is over.
   * @throws RangeError when `count` is not an integer of 1 or more
   */
  take(count: number): Gathered | undefined;
  /** As `IndexCursor.weights`. */
  readonly weights?: Float32Array | undefined;
  /**
   * Tells the sampler the losses of the examples of the latest `take`, in their order. Absent where it does not ask.
   * @throws RangeError when there are not as many losses
   */
  observe?(losses: ArrayLike<number>): void;
}

/**
 * Joins an order with the data: a source of batches, each made by `gather` from the indices of its examples, and from
 * their importance weights where the sampler has them.
 *
 * @param gather answers a batch or a promise of one; never called with an empty array, and the arrays are its own
 */
export function gathered<Gathered>(
  sampler: IndexSampler,
  gather: (indices: Int32Array, weights: Float32Array | undefined) => Gathered,
): GatheredSource<Gathered> {
  const { observe, state } = passFeedback(sampler);
  return {
    size: sampler.size,
    epoch(index, startAt) {
      const cursor = sampler.epoch(index, startAt);
      let latest = new Int32Array();
      return {
        take(count) {
          const indices = cursor.take(count);
          if (observe) latest = indices.slice();
          return indices.length === 0 ? undefined : gather(indices, cursor.weights);
        },
        get weights() {
          return cursor.weights;
        },
        ...(observe && { observe: (losses: ArrayLike<number>) => observe(latest, losses) }),
      };
    },
    ...(state && { state }),
    ...(sampler.independent && { independent: gathered(sampler.independent, gather) }),
  };
}
