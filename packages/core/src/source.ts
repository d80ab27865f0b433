import type { Awaitable } from './json.ts';

/** Socket 2: supplies examples. The size of a batch is asked for, never owned. */
export interface BatchSource<Batch> {
  /** Examples per epoch; undefined for a stream. */
  readonly size: number | undefined;
  /** The same index gives the same order, however it is cut into batches; `startAt` skips that many examples. */
  epoch(index: number, startAt?: number): BatchCursor<Batch>;
}

/** A position in one epoch. */
export interface BatchCursor<Batch> {
  /**
   * At most `count` examples (fewer only at the end), undefined once the epoch is over. A batch is valid until the next
   * `take` of the same cursor, which may use its memory again.
   */
  take(count: number): Awaitable<Batch | undefined>;
}
