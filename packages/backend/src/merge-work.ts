import type { MergedGradient } from '@batchwise/core';
import { computed, deferredRowSums } from './deferred.ts';
import { innerProduct } from './inner-product.ts';
import { presenceOf, tensorsOf, type LayersGradient } from './layers-gradient.ts';
import type { Tensor, Tf } from './tf.ts';
import type { StepRunner, TensorWork } from './traced/tensor-work.ts';

/** Sums of the same values in another order, relative to the largest. */
export const SUMS_TOLERANCE = 1e-4;

/** The weighted sum of two gradients, and their inner products a·a, b·b and a·b. They stay the caller's. */
export function mergeOnDevice(
  tf: Tf,
  steps: StepRunner,
  {
    gradients: [a, b],
    weights,
  }: {
    readonly gradients: readonly [LayersGradient, LayersGradient];
    readonly weights: readonly [number, number];
  },
): MergedGradient<LayersGradient> {
  const [products = null, ...sums] = steps.run(mergeWork(tf, [a, b], weights));
  const total = a.map(({ name }, i) => ({ name, tensor: sums[i] ?? null }));
  return { total, products: deferredRowSums(computed(products)) };
}

/** The sum, after a tensor with a row for each of the products, whose values add up to it. */
function mergeWork(
  tf: Tf,
  [a, b]: readonly [LayersGradient, LayersGradient],
  weights: readonly [number, number],
): TensorWork {
  const merged = ([ofA, ofB]: readonly [number, number]): (Tensor | null)[] => {
    const products = [innerProduct(tf, a, a), innerProduct(tf, b, b), innerProduct(tf, a, b)];
    const sums = a.map(({ tensor }, i) => weightedSum(tf, [tensor, b[i]?.tensor ?? null], [ofA, ofB]));
    return [tf.stack(products), ...sums];
  };
  const others = [weights[0] / 2, weights[1] / 4] as const;
  return {
    part: 'merge',
    key: `${presenceOf(a)} ${presenceOf(b)}`,
    inputs: [...tensorsOf(a), ...tensorsOf(b)],
    numbers: weights,
    tolerance: SUMS_TOLERANCE,
    compute: () => merged(weights),
    rehearsal: { numbers: others, compute: () => merged(others) },
  };
}

function weightedSum(
  tf: Tf,
  [a, b]: readonly [Tensor | null, Tensor | null],
  [ofA, ofB]: readonly [number, number],
): Tensor | null {
  const parts = [a && tf.mul(a, ofA), b && tf.mul(b, ofB)].filter((part) => part !== null);
  const [one, other] = parts;
  return one && other ? tf.add(one, other) : (one ?? null);
}
