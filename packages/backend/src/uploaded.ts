import type { Tensor } from './tf.ts';

/** A batch on the device. */
export interface Uploaded {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  readonly weights: readonly Tensor[];
}

/** Batches of the same shapes ask the engine for the same. */
export const shapesOf = (examples: Uploaded): string =>
  Object.values(examples)
    .map((list: readonly Tensor[]) => list.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join())
    .join(' -> ');
