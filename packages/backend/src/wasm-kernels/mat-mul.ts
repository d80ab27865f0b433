import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { WasmHeap } from './heap.ts';
import type { KernelFunction, KernelTf } from './kernel.ts';
import { rowsOf, summedByRows } from './rows.ts';

interface ProductCall {
  readonly inputs: { readonly a: Tensor2D; readonly b: Tensor2D };
  readonly attrs: { readonly transposeA: boolean; readonly transposeB: boolean };
  readonly backend: WasmHeap;
}

/**
 * BatchMatMul of two matrices one of which is transposed, as in the gradients of dense layers. The engine multiplies quickly what lies in rows, and five to ten
 * times more slowly what is transposed: here it is put in rows first. Other products are left to `original`.
 */
export const transposedProduct =
  (original: KernelFunction, tf: KernelTf): KernelFunction =>
  (call) => {
    const { inputs, attrs, backend } = call as unknown as ProductCall;
    const { a, b } = inputs;
    const { transposeA, transposeB } = attrs;
    const fit = [a, b].every(
      ({ shape, dtype, size }) => shape.length === 2 && dtype === 'float32' && size > 0,
    );
    if (!fit || !(transposeA || transposeB)) return original(call);
    if (transposeA && transposeB) return tf.tidy(() => tf.transpose(tf.matMul(b, a)));
    if (transposeB) return tf.tidy(() => tf.matMul(a, tf.transpose(b)));
    return summedByRows(tf, { rows: a.shape[0], columns: b.shape[1] }, (first, count) => {
      const rowsFrom = (matrix: Tensor2D): Tensor2D => rowsOf({ backend, tf }, matrix, [first, count]);
      return tf.matMul(tf.transpose(rowsFrom(a)), rowsFrom(b));
    });
  };
