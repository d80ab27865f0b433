import type { ArrayTensor } from '@batchwise/backend';
import { TrainingError } from '@batchwise/core';
import type { Slot } from './fitted-model.ts';
import type { Tensor } from './tf.ts';

/** Row-major numbers of all examples, without their shape: it is the model's. */
export type BareRows = Float32Array | Int32Array | Uint8Array;

/** One input or target of all examples: the first dimension counts them. */
export type ExampleRows = Tensor | ArrayTensor | BareRows;

/** One input or output of the model, several in their order, or by their names. */
export type ExampleColumns = ExampleRows | readonly ExampleRows[] | { readonly [name: string]: ExampleRows };

/** Rows in host memory. */
export interface HostRows {
  readonly data: Float32Array | Int32Array;
  readonly count: number;
  /** Of one example. */
  readonly shape: readonly number[];
}

const invalid = (message: string, hint: string): TrainingError =>
  new TrainingError('invalidOptions', message, { hint });

const isBare = (value: unknown): value is BareRows => ArrayBuffer.isView(value);
export const isTensor = (value: object): value is Tensor =>
  'dataSync' in value && typeof value.dataSync === 'function';
const isArrayTensor = (value: object): value is ArrayTensor => 'data' in value && isBare(value.data);
const isRows = (value: object): value is ExampleRows =>
  isBare(value) || isTensor(value) || isArrayTensor(value);
const isList = (value: object): value is readonly ExampleRows[] => Array.isArray(value);

/**
 * The columns in the order of the model's inputs or outputs.
 * @throws TrainingError `invalidOptions` where one is missing or there are too many
 */
export function inOrder(columns: ExampleColumns, slots: readonly Slot[], what: 'xs' | 'ys'): ExampleRows[] {
  const names = slots.map(({ name }) => name).join(', ');
  if (isRows(columns) || isList(columns)) {
    const list = isRows(columns) ? [columns] : columns;
    if (list.length === slots.length) return [...list];
    throw invalid(`${what} has ${list.length} parts.`, `The model has ${slots.length} there: ${names}.`);
  }
  return slots.map(({ name }) => {
    const rows = columns[name];
    if (rows !== undefined) return rows;
    throw invalid(`${what} has no "${name}".`, `Give an entry for each of ${names}.`);
  });
}

/**
 * Rows that are in host memory already; undefined for a tensor.
 * @throws TrainingError `invalidOptions` where the numbers do not make whole examples
 */
export function hostRows(rows: ExampleRows, slot: Slot, count: number | undefined): HostRows | undefined {
  if (isBare(rows)) return shaped(rows, slot, count);
  return isTensor(rows) ? undefined : withShape(rows.data, rows.shape);
}

/** Numbers whose first dimension counts the examples; a rank of 1 is that of [examples, 1], as in `fit`. */
export function withShape(data: BareRows, shape: readonly number[]): HostRows {
  const [count = 0, ...rest] = shape;
  return { data: asNumbers(data), count, shape: rest.length === 0 ? [1] : rest };
}

/** The shape is that of the model's input or output, or of its class indices. */
function shaped(
  data: BareRows,
  { name, shape: [, ...dimensions] }: Slot,
  count: number | undefined,
): HostRows {
  const shape = dimensions.map((dimension) => dimension ?? NaN);
  const length = product(shape);
  const rows = count ?? data.length / length;
  if (Number.isInteger(rows) && rows * length === data.length)
    return { data: asNumbers(data), count: rows, shape };
  const classIndices = [...shape.slice(0, -1), 1];
  if (Number.isInteger(rows) && rows * product(classIndices) === data.length)
    return { data: asNumbers(data), count: rows, shape: classIndices };
  throw invalid(
    `${data.length} numbers do not make ${count ?? 'whole'} examples of [${shape.join(', ')}] for "${name}".`,
    'Give { data, shape } with all dimensions, examples first.',
  );
}

const product = (shape: readonly number[]): number => shape.reduce((size, dimension) => size * dimension, 1);

const asNumbers = (data: BareRows): Float32Array | Int32Array =>
  data instanceof Uint8Array ? Int32Array.from(data) : data;

/** Examples in rows of either kind. */
export const countOf = (rows: HostRows | Tensor): number =>
  'count' in rows ? rows.count : (rows.shape[0] ?? 0);

/** Memory for the gathered rows of one cursor: fresh memory for each batch costs more than filling it. */
export class RowMemory {
  readonly #rows: HostRows;
  #data: Float32Array | Int32Array;

  constructor(rows: HostRows) {
    this.#rows = rows;
    this.#data = rows.data.subarray(0, 0);
  }

  /** The rows at `indices`, in memory that the next call uses again. */
  gather(indices: Int32Array): ArrayTensor {
    const { data, shape } = this.#rows;
    const length = product(shape);
    const size = indices.length * length;
    if (this.#data.length < size)
      this.#data = data instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
    const gathered = this.#data.subarray(0, size);
    indices.forEach((index, row) => {
      gathered.set(data.subarray(index * length, (index + 1) * length), row * length);
    });
    return { data: gathered, shape: [indices.length, ...shape] };
  }
}
