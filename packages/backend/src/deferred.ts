import type { Deferred } from '@batchwise/core';
import type { Tensor } from './tf.ts';

/** The sum of a tensor's values, added up in double precision on the host. Takes the tensor over. */
export function deferredSum(tensor: Tensor): Deferred {
  return {
    async read() {
      try {
        let sum = 0;
        for (const value of await tensor.data()) sum += Number(value);
        return sum;
      } finally {
        tensor.dispose();
      }
    },
    dispose() {
      if (!tensor.isDisposed) tensor.dispose();
    },
  };
}
