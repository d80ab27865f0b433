import type { BatchSource } from '@batchwise/core';

/** A source of the given examples in their order, for tests of the loop. Batches are plain arrays. */
export function listSource<Example>(examples: readonly Example[]): BatchSource<readonly Example[]> {
  return {
    size: examples.length,
    epoch(_index, startAt = 0) {
      let at = startAt;
      return {
        take(count) {
          const batch = examples.slice(at, at + count);
          at += batch.length;
          return batch.length === 0 ? undefined : batch;
        },
      };
    },
  };
}
