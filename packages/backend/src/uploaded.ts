import { listOf, type ArrayBatch, type Rows } from './array-batch.ts';
import type { Tensor, Tf } from './tf.ts';

/** A batch on the device. */
export interface Uploaded {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  readonly weights: readonly Tensor[];
}

/** A batch on the device whose rows may still have to be gathered, which is a part of the work on it. */
export interface Placed {
  /** All that the rows are made of, each tensor once. */
  readonly inputs: readonly Tensor[];
  /** Batches of one key ask the engine for the same, those of one family for the same but for the number of examples. */
  readonly key: string;
  readonly family: string;
  /** The rows; what is gathered for it is the caller's, to be left to a `tidy`. */
  rows(): Uploaded;
  /** Frees what was uploaded; the user's own tensors stay. */
  dispose(): void;
}

/**
 * Uploads arrays, and of rows of tensors their indices: the same indices once for all.
 * @param refuse called with each tensor of the user's; may throw
 */
export function place(
  tf: Pick<Tf, 'dispose' | 'gather' | 'tensor'>,
  { xs, ys, weights = [] }: ArrayBatch,
  refuse: (tensor: Tensor) => void,
): Placed {
  const sides = { xs: listOf(xs), ys: listOf(ys), weights };
  const all = Object.values(sides).flat();
  for (const rows of all) if ('tensor' in rows) refuse(rows.tensor);
  const uploads = new Map<Rows, Tensor>();
  for (const rows of all) uploads.set(rows, sharedIndices(uploads, rows) ?? uploaded(tf, rows));
  const own = new Set(uploads.values());
  const sources = all.flatMap((rows) => ('tensor' in rows ? [rows.tensor] : []));
  // Each value once: clones share theirs.
  const inputs = new Map([...own, ...sources].map((tensor) => [tensor.dataId, tensor]));
  const places = [...inputs.keys()];
  const uploadOf = (rows: Rows): Tensor => {
    const tensor = uploads.get(rows);
    if (!tensor) throw new Error('unreachable: all rows were uploaded');
    return tensor;
  };
  const rowsOf = (rows: Rows): Tensor =>
    'tensor' in rows ? tf.gather(rows.tensor, uploadOf(rows)) : uploadOf(rows);
  // With the places among the inputs: which rows share their indices or their tensor is a part of what is asked for.
  const textOf = ({ dtype, dataId }: Tensor, shape: readonly number[]): string =>
    `${dtype}[${shape.join()}]@${places.indexOf(dataId)}`;
  const keyWith = (shapeOf: (upload: Tensor) => readonly number[]): string => {
    const keyOf = (rows: Rows): string => {
      const upload = uploadOf(rows);
      const own = textOf(upload, shapeOf(upload));
      return 'tensor' in rows ? `${textOf(rows.tensor, rows.tensor.shape)} at ${own}` : own;
    };
    return Object.values(sides)
      .map((list: readonly Rows[]) => list.map(keyOf).join())
      .join(' -> ');
  };
  return {
    inputs: [...inputs.values()],
    key: keyWith(({ shape }) => shape),
    family: keyWith(({ shape }) => shape.slice(1)),
    rows: () => ({
      xs: sides.xs.map(rowsOf),
      ys: sides.ys.map(rowsOf),
      weights: sides.weights.map(rowsOf),
    }),
    dispose: () => tf.dispose([...own]),
  };
}

const uploaded = (tf: Pick<Tf, 'tensor'>, rows: Rows): Tensor =>
  'data' in rows ? tf.tensor(rows.data, [...rows.shape]) : tf.tensor(rows.indices);

/** Inputs and targets mostly come with the same indices. */
function sharedIndices(uploads: ReadonlyMap<Rows, Tensor>, rows: Rows): Tensor | undefined {
  if ('data' in rows) return undefined;
  const { buffer, byteOffset, length } = rows.indices;
  for (const [other, tensor] of uploads)
    if (
      'indices' in other &&
      other.indices.buffer === buffer &&
      other.indices.byteOffset === byteOffset &&
      other.indices.length === length
    )
      return tensor;
  return undefined;
}
