import { listOf, type ArrayBatch, type Rows } from './array-batch.ts';
import type { Tensor, Tf } from './tf.ts';

/** Something for each tensor of a batch. */
interface Batch<T> {
  readonly xs: readonly T[];
  readonly ys: readonly T[];
  readonly weights: readonly T[];
}

/** A batch on the device. */
export type Uploaded = Batch<Tensor>;

/** A batch on the device whose rows may still have to be gathered, which is a part of the work on it. */
export interface Placed {
  /** All that the rows are made of, each tensor once. */
  readonly inputs: readonly Tensor[];
  /** Batches of one key ask the engine for the same. */
  readonly key: string;
  /** The same for any number of examples. */
  readonly family: string;
  /** The rows; what is gathered for it is the caller's, to be left to a `tidy`. */
  rows(): Uploaded;
  /** A copy of the first half of the examples, the caller's to dispose; undefined where that is less than two. */
  firstHalf(): Placed | undefined;
  /** Frees what was uploaded; the user's own tensors stay. */
  dispose(): void;
}

type Operations = Pick<Tf, 'dispose' | 'gather' | 'slice' | 'tensor'>;

/** A tensor of rows, or the indices of rows and the tensor of the user's that they are of. */
interface Place {
  readonly own: Tensor;
  readonly of?: Tensor;
}

const mapped = <T, U>({ xs, ys, weights }: Batch<T>, to: (value: T) => U): Batch<U> => ({
  xs: xs.map(to),
  ys: ys.map(to),
  weights: weights.map(to),
});
const listed = <T>({ xs, ys, weights }: Batch<T>): readonly T[] => [...xs, ...ys, ...weights];

/**
 * Uploads arrays, and of rows of tensors their indices: the same indices once for all.
 * @param refuse called with each tensor of the user's; may throw
 */
export function place(
  tf: Operations,
  { xs, ys, weights = [] }: ArrayBatch,
  refuse: (tensor: Tensor) => void,
): Placed {
  const batch: Batch<Rows> = { xs: listOf(xs), ys: listOf(ys), weights };
  for (const rows of listed(batch)) if ('tensor' in rows) refuse(rows.tensor);
  const uploads: { readonly rows: Rows; readonly tensor: Tensor }[] = [];
  const uploaded = (rows: Rows): Tensor => {
    // Inputs and targets mostly come with the same indices.
    const known = uploads.find((upload) => haveSameIndices(upload.rows, rows))?.tensor;
    const tensor =
      known ?? ('data' in rows ? tf.tensor(rows.data, [...rows.shape]) : tf.tensor(rows.indices));
    uploads.push({ rows, tensor });
    return tensor;
  };
  const places = mapped(batch, (rows): Place => {
    const own = uploaded(rows);
    return 'tensor' in rows ? { own, of: rows.tensor } : { own };
  });
  return placed(tf, places);
}

function haveSameIndices(a: Rows, b: Rows): boolean {
  if ('data' in a || 'data' in b) return false;
  const [one, other] = [a.indices, b.indices];
  return one.buffer === other.buffer && one.byteOffset === other.byteOffset && one.length === other.length;
}

function placed(tf: Operations, places: Batch<Place>): Placed {
  const own = [...new Set(listed(places).map((place) => place.own))];
  const sources = listed(places).flatMap(({ of }) => of ?? []);
  // Each value once: clones share theirs.
  const inputs = new Map([...own, ...sources].map((tensor) => [tensor.dataId, tensor]));
  const ids = [...inputs.keys()];
  // With the places among the inputs: which rows share their indices or their tensor is a part of what is asked for.
  const described = ({ dtype, shape, dataId }: Tensor, lengths = shape): string =>
    `${dtype}[${lengths.join()}]@${ids.indexOf(dataId)}`;
  const keyOf = (first: 0 | 1): string =>
    Object.values(
      mapped(places, ({ own: rows, of }) =>
        [described(rows, rows.shape.slice(first)), ...(of ? [described(of)] : [])].join(' of '),
      ),
    ).join(' -> ');
  return {
    inputs: [...inputs.values()],
    key: keyOf(0),
    family: keyOf(1),
    rows: () => mapped(places, ({ own: rows, of }) => (of ? tf.gather(of, rows) : rows)),
    firstHalf: () => {
      const half = Math.floor((own[0]?.shape[0] ?? 0) / 2);
      if (half < 2) return undefined;
      const slices = new Map(own.map((tensor) => [tensor, tf.slice(tensor, 0, half)]));
      return placed(
        tf,
        mapped(places, (place) => ({ ...place, own: slices.get(place.own) ?? place.own })),
      );
    },
    dispose: () => tf.dispose(own),
  };
}
