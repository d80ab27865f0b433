import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { KernelFunction, KernelTf, WasmEngine } from './kernel.ts';
import { rowsOf, summedByRows } from './rows.ts';
import type { WasmHeap } from './heap.ts';

/** 2 MB. With half of it, products of large matrices take half as long again, as all of the gradient is added up more often. */
const MOST_VALUES = 2 ** 19;

interface ProductCall {
  readonly inputs: { readonly a: Tensor; readonly b: Tensor };
  readonly attrs: { readonly transposeA: boolean; readonly transposeB: boolean };
  readonly backend: WasmHeap;
}

/**
 * BatchMatMul of two matrices one of which is transposed, as in the gradients of dense and recurrent layers. The engine multiplies quickly what lies
 * in rows, and up to 14 times more slowly what is transposed. So one of the two is put in other rows first, or else the other one and the product,
 * a bᵀ = (b aᵀ)ᵀ, whichever are fewer values. Other products are left to `original`.
 */
export const transposedProduct =
  (original: KernelFunction, tf: KernelTf): KernelFunction =>
  (call) => {
    const { inputs, attrs, backend } = call as unknown as ProductCall;
    const { a, b } = inputs;
    if (!(attrs.transposeA || attrs.transposeB) || !isMatrix(a) || !isMatrix(b)) return original(call);
    const stacks = Math.max(a.rank, b.rank) - 2;
    // TensorFlow.js counts a reshaped tensor as if it had memory of its own.
    const flat = (matrix: Tensor): Tensor2D =>
      matrix.rank === 2
        ? (matrix as Tensor2D)
        : tf.reshape(matrix, matrix.shape.slice(-2) as [number, number]);
    return tf.tidy(() => {
      const product = productOf({ tf, backend }, [flat(a), flat(b)], attrs);
      return stacks === 0
        ? product
        : tf.reshape(product, [...new Array<number>(stacks).fill(1), ...product.shape]);
    });
  };

/** A matrix with values in it, be it in a stack of one. */
const isMatrix = ({ shape, dtype, size }: Tensor): boolean =>
  dtype === 'float32' && size > 0 && shape.slice(0, -2).every((length) => length === 1);

function productOf(
  engine: WasmEngine,
  [a, b]: readonly [Tensor2D, Tensor2D],
  { transposeA, transposeB }: ProductCall['attrs'],
): Tensor2D {
  const { tf } = engine;
  if (transposeA && transposeB) return tf.transpose(tf.matMul(b, a));
  if (transposeB)
    return b.size <= a.size + a.shape[0] * b.shape[0]
      ? tf.matMul(a, tf.transpose(b))
      : tf.transpose(tf.matMul(b, tf.transpose(a)));
  const columns = Math.max(a.shape[1], b.shape[1]);
  return summedByRows(engine, { rows: a.shape[0], columns, mostValues: MOST_VALUES }, (first, count) => {
    const left = rowsOf(engine, a, [first, count]);
    const right = rowsOf(engine, b, [first, count]);
    return left.size <= right.size + a.shape[1] * b.shape[1]
      ? tf.matMul(tf.transpose(left), right)
      : tf.transpose(tf.matMul(tf.transpose(right), left));
  });
}
