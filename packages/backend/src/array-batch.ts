/** Rows in host memory: `shape[0]` examples of `shape[1…]` values each, row-major. */
export interface ArrayTensor {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** Examples for one step: inputs and targets in the order of the model's inputs and outputs. */
export interface ArrayBatch {
  readonly xs: ArrayTensor | readonly ArrayTensor[];
  readonly ys: ArrayTensor | readonly ArrayTensor[];
}

export const listOf = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];

/** Examples in the batch. */
export function sizeOfBatch(batch: ArrayBatch): number {
  return listOf(batch.xs)[0]?.shape[0] ?? 0;
}

/** Views of `partSize` consecutive examples each, the last one smaller where it does not divide. Nothing is copied. */
export function splitBatch(batch: ArrayBatch, partSize: number): ArrayBatch[] {
  const size = sizeOfBatch(batch);
  if (partSize >= size) return [batch];
  const parts: ArrayBatch[] = [];
  for (let start = 0; start < size; start += partSize) {
    const end = Math.min(size, start + partSize);
    const cut = (tensor: ArrayTensor): ArrayTensor => rows(tensor, start, end);
    parts.push({ xs: listOf(batch.xs).map(cut), ys: listOf(batch.ys).map(cut) });
  }
  return parts;
}

function rows({ data, shape }: ArrayTensor, start: number, end: number): ArrayTensor {
  const [count = 0, ...rest] = shape;
  const rowLength = count === 0 ? 0 : data.length / count;
  return { data: data.subarray(start * rowLength, end * rowLength), shape: [end - start, ...rest] };
}
