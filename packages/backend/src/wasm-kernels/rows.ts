import type { Rank, Tensor } from '@tensorflow/tfjs-core';
import { valuesIn } from '../values-in.ts';
import type { WasmEngine } from './kernel.ts';

/** The engine copies the right-hand side of a product, columns in groups of 8. */
const GROUP = 8;

/** Products that are added up at once: in single precision, one after the other, two million of them keep three digits. */
const MOST_PRODUCTS = 2 ** 15;

interface Rows {
  /** Rows in all. */
  readonly rows: number;
  /** What the right-hand side has in a row: `inner` times `columns` values. */
  readonly inner?: number;
  readonly columns: number;
  /** Values to copy at once: no tensor counts them, and they should not bend the line that memory takes over batches. */
  readonly mostValues: number;
}

/** Σ of `part` over all rows, a few at a time: it is called with the first of them and how many, and makes a new tensor. */
export function summedByRows<R extends Rank>(
  { tf, backend }: WasmEngine,
  { rows, inner = 1, columns, mostValues }: Rows,
  part: (first: number, count: number) => Tensor<R>,
): Tensor<R> {
  const values = GROUP * Math.ceil(columns / GROUP);
  const most = Math.max(1, Math.floor(Math.min(mostValues / values, MOST_PRODUCTS) / inner));
  const sumFrom = (first: number): Tensor<R> => tf.tidy(() => part(first, Math.min(most, rows - first)));
  const total = sumFrom(0);
  for (let first = most; first < rows; first += most) {
    const more = sumFrom(first);
    const [sums, terms] = [backend.typedArrayFromHeap(total), backend.typedArrayFromHeap(more)];
    for (let i = 0; i < sums.length; i += 1) sums[i] = (sums[i] ?? 0) + (terms[i] ?? 0);
    more.dispose();
  }
  return total;
}

/** A tensor that is yet to be filled. */
export const made = ({ tf, backend }: WasmEngine, shape: number[]): Tensor =>
  tf.engine().makeTensorFromDataId(backend.makeOutput(shape, 'float32').dataId, shape, 'float32');

/**
 * A copy of rows `first` to `first + count` of a tensor, whatever its rank, also of all: what the engine copies of a right-hand side it keeps as
 * long as the tensor, and takes it for what the tensor still holds. The engine's own `slice` copies all rows first.
 */
export function rowsOf<R extends Rank>(
  engine: WasmEngine,
  x: Tensor<R>,
  [first, count]: readonly [number, number],
): Tensor<R> {
  const rest = x.shape.slice(1);
  const out = made(engine, [count, ...rest]);
  const length = valuesIn(rest);
  // That of x first: where x lies with another engine, it is brought over, which may move the heap.
  const values = engine.backend.typedArrayFromHeap(x).subarray(first * length, (first + count) * length);
  engine.backend.typedArrayFromHeap(out).set(values);
  return out as Tensor<R>;
}
