import type { Deferred } from '@batchwise/core';
import type { Tensor } from './tf.ts';

/** The sum of a tensor's values, added up in double precision on the host. Takes the tensor over. */
export const deferredSum = (tensor: Tensor): Deferred =>
  deferred(tensor, (values) => values.reduce((sum, value) => sum + value, 0));

/** A tensor's values. Takes the tensor over. */
export const deferredValues = (tensor: Tensor): Deferred<readonly number[]> =>
  deferred(tensor, (values) => values);

/** The sum of each row of a tensor, added up in double precision on the host. Takes the tensor over. */
export const deferredRowSums = (tensor: Tensor): Deferred<readonly number[]> => {
  const [rows = 0] = tensor.shape;
  return deferred(tensor, (values) => {
    const width = values.length / rows;
    const rowSum = (row: number): number =>
      values.slice(row * width, (row + 1) * width).reduce((sum, value) => sum + value, 0);
    return Array.from({ length: rows }, (_, row) => rowSum(row));
  });
};

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

/** A result of a step that is always there. */
export function computed(tensor: Tensor | null): Tensor {
  if (!tensor) throw new Error('unreachable: it is always computed');
  return tensor;
}
