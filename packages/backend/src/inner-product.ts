import type { LayersGradient } from './layers-gradient.ts';
import type { Tensor, Tf } from './tf.ts';

/**
 * The inner product of two gradients as a tensor whose values add up to it; a variable that one of them lacks counts 0.
 *
 * As matrix products, for these are as precise as an engine gets: a plain sum is off by 0.3 % on wasm at 4M values.
 * TensorFlow adds up precisely, and two operations per variable instead of four are half the time, which
 * a measured step spends three times.
 */
export function innerProduct(
  tf: Pick<Tf, 'addN' | 'concat' | 'getBackend' | 'matMul' | 'mul' | 'reshape' | 'sum'>,
  a: LayersGradient,
  b: LayersGradient,
): Tensor {
  const pairs = a.flatMap(({ tensor }, i) => {
    const other = b[i]?.tensor;
    return tensor && other ? [[tensor, other] as const] : [];
  });
  if (tf.getBackend() === 'tensorflow') return tf.addN(pairs.map(([x, y]) => tf.sum(tf.mul(x, y))));
  return tf.concat(
    pairs.map(([x, y]) => {
      const product = tf.matMul(tf.reshape(x, [1, -1]), tf.reshape(y, [-1, 1]));
      return tf.reshape(product, [1]);
    }),
  );
}
