import type { Deferred } from '@batchwise/core';
import type { Tensor } from './tf.ts';

/** The sum of a tensor's values, added up in double precision on the host. Takes the tensor over. */
export const deferredSum = (tensor: Tensor): Deferred =>
  deferred(tensor, (values) => values.reduce((sum, value) => sum + value, 0));

/** A tensor's values. Takes the tensor over. */
export const deferredValues = (tensor: Tensor): Deferred<readonly number[]> =>
  deferred(tensor, (values) => values);

function deferred<Value>(tensor: Tensor, of: (values: readonly number[]) => Value): Deferred<Value> {
  return {
    async read() {
      try {
        return of(Array.from(await tensor.data(), Number));
      } finally {
        tensor.dispose();
      }
    },
    dispose() {
      if (!tensor.isDisposed) tensor.dispose();
    },
  };
}
