import type { Awaitable, Json } from './json.ts';

/** Socket 2: supplies examples. The size of a batch is asked for, never owned. */
export interface BatchSource<Batch> {
  /** Examples per epoch; undefined for a stream. */
  readonly size: number | undefined;
  /** The same index gives the same order, however it is cut into batches; `startAt` skips that many examples. */
  epoch(index: number, startAt?: number): BatchCursor<Batch>;
  /** What `observe` left behind, to make the source anew from; absent where the order does not depend on losses. */
  state?(): Json;
  /**
   * Where the examples of a batch are no independent draws (sequences of similar length, records in the order of time):
   * the same data in an order in which they are. Gradient noise is then measured on its batches, beside the update.
   * Within a batch of like examples the noise looks small, and what they have in common passes for the gradient.
   */
  readonly independent?: BatchSource<Batch>;
}

/** A position in one epoch. */
export interface BatchCursor<Batch> {
  /**
   * At most `count` examples (fewer only at the end), undefined once the epoch is over. A batch is valid until the next
   * `take` of the same cursor, which may use its memory again.
   */
  take(count: number): Awaitable<Batch | undefined>;
  /**
   * Where a cursor has it, it is told the loss of each example of its latest batch, in their order, once the update is
   * applied. An importance weight that a batch carries is not in them.
   */
  observe?(losses: ArrayLike<number>): void;
}
