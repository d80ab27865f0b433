import type { Tensor, Tf } from './tf.ts';

/** Something for each tensor of a batch. */
interface Batch<T> {
  readonly xs: readonly T[];
  readonly ys: readonly T[];
  readonly weights: readonly T[];
}

/** A batch on the device. */
export type Uploaded = Batch<Tensor>;

const mapped = <T, U>({ xs, ys, weights }: Batch<T>, of: (value: T) => U): Batch<U> => ({
  xs: xs.map(of),
  ys: ys.map(of),
  weights: weights.map(of),
});

/** All tensors of a batch. */
export const listed = ({ xs, ys, weights }: Uploaded): Tensor[] => [...xs, ...ys, ...weights];

/** Batches of the same shapes ask the engine for the same. */
export const shapesOf = (
  examples: Batch<Pick<Tensor, 'dtype'> & { readonly shape: readonly number[] }>,
): string =>
  [examples.xs, examples.ys, examples.weights]
    .map((list) => list.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join())
    .join(' -> ');

/** The same for any number of examples. */
export const rowShapesOf = (examples: Uploaded): string =>
  shapesOf(mapped(examples, ({ dtype, shape }) => ({ dtype, shape: shape.slice(1) })));

/** A copy of the first half of the examples, the caller's to dispose; undefined where that is less than two. */
export function firstHalf(tf: Pick<Tf, 'slice'>, examples: Uploaded): Uploaded | undefined {
  const half = Math.floor((examples.xs[0]?.shape[0] ?? 0) / 2);
  return half < 2 ? undefined : mapped(examples, (tensor) => tf.slice(tensor, 0, half));
}
