import type { MergedGradient } from '@batchwise/core';
import type { LayersGradient } from './layers-gradient.ts';
import type { Tensor, Tf } from './tf.ts';

/** Up to so many values reading two gradients, and giving their sum back, takes less than three operations on each. */
const MOST_VALUES = 2 ** 18;

/** Whether two gradients are so small, and so near, that their sum is faster made here than by the engine. */
export const isMergedOnHost = (tf: Pick<Tf, 'getBackend'>, gradient: LayersGradient): boolean =>
  tf.getBackend() === 'tensorflow' &&
  gradient.reduce((count, { tensor }) => count + (tensor?.size ?? 0), 0) <= MOST_VALUES;

/** The weighted sum of two gradients, and their inner products a·a, b·b and a·b in double precision. They stay the caller's. */
export function mergeOnHost(
  tf: Pick<Tf, 'tensor'>,
  [a, b]: readonly [LayersGradient, LayersGradient],
  [ofA, ofB]: readonly [number, number],
): MergedGradient<LayersGradient> {
  let [aa, bb, ab] = [0, 0, 0];
  const total = a.map(({ name, tensor }, i) => {
    const other = b[i]?.tensor ?? null;
    const shape = (tensor ?? other)?.shape;
    if (shape === undefined) return { name, tensor: null };
    const sum = new Float32Array((tensor ?? other)?.size ?? 0);
    const [x, y] = [valuesOf(tensor, sum), valuesOf(other, sum)];
    for (let k = 0; k < sum.length; k += 1) {
      const u = x[k] ?? 0;
      const v = y[k] ?? 0;
      aa += u * u;
      bb += v * v;
      ab += u * v;
      sum[k] = u * ofA + v * ofB;
    }
    return { name, tensor: tf.tensor(sum, shape, 'float32') };
  });
  const products = [aa, bb, ab];
  return { total, products: { read: () => Promise.resolve(products), dispose: () => undefined } };
}

/** Zeros where there is none. */
const valuesOf = (tensor: Tensor | null, zeros: Float32Array): Float32Array =>
  tensor ? (tensor.dataSync() as Float32Array) : zeros;
