import type { Tensor } from './tf.ts';

/** Rows in host memory: `shape[0]` examples of `shape[1…]` values each, row-major. */
export interface ArrayTensor {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** Rows of a tensor that is on the device already: those at `indices` of its first dimension, in that order. */
export interface TensorRows {
  readonly tensor: Tensor;
  readonly indices: Int32Array;
}

/** The rows of one input or target of the model. */
export type Rows = ArrayTensor | TensorRows;

/** Examples for one step: inputs and targets in the order of the model's inputs and outputs. */
export interface ArrayBatch {
  readonly xs: Rows | readonly Rows[];
  readonly ys: Rows | readonly Rows[];
  /**
   * One weight per example for each output of the model: in training, the loss of the example is multiplied by it, and
   * the mean is still taken over the examples. Evaluation leaves it aside, as `model.evaluate` does.
   */
  readonly weights?: readonly Rows[];
}

export const listOf = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];

const countOf = (rows: Rows): number => ('indices' in rows ? rows.indices.length : (rows.shape[0] ?? 0));

/** Examples in the batch. */
export function sizeOfBatch(batch: ArrayBatch): number {
  const [first] = listOf(batch.xs);
  return first ? countOf(first) : 0;
}

/** Views of `partSize` consecutive examples each, the last one smaller where it does not divide. Nothing is copied. */
export function splitBatch(batch: ArrayBatch, partSize: number): ArrayBatch[] {
  const size = sizeOfBatch(batch);
  if (partSize >= size) return [batch];
  const parts: ArrayBatch[] = [];
  for (let start = 0; start < size; start += partSize) {
    const end = Math.min(size, start + partSize);
    // Rows that are inputs and targets at once, as in an autoencoder, stay one: as two they would ask the engine for something else.
    const cuts = new Map<Rows, Rows>();
    const cut = (rows: Rows): Rows => {
      const made = cuts.get(rows) ?? slice(rows, start, end);
      cuts.set(rows, made);
      return made;
    };
    parts.push({
      xs: listOf(batch.xs).map(cut),
      ys: listOf(batch.ys).map(cut),
      ...(batch.weights && { weights: batch.weights.map(cut) }),
    });
  }
  return parts;
}

/** The first half of the examples; undefined where that is less than two. */
export function firstHalf(batch: ArrayBatch): ArrayBatch | undefined {
  const half = Math.floor(sizeOfBatch(batch) / 2);
  return half < 2 ? undefined : splitBatch(batch, half)[0];
}

function slice(rows: Rows, start: number, end: number): Rows {
  if ('indices' in rows) return { tensor: rows.tensor, indices: rows.indices.subarray(start, end) };
  const [count = 0, ...rest] = rows.shape;
  const rowLength = count === 0 ? 0 : rows.data.length / count;
  return { data: rows.data.subarray(start * rowLength, end * rowLength), shape: [end - start, ...rest] };
}
