import type { ArrayBatch, Rows } from '@batchwise/backend';
import { TrainingError, type BatchSource } from '@batchwise/core';
import { gathered, type IndexSampler } from '@batchwise/sampler';
import {
  countOf,
  hostRows,
  inOrder,
  isTensor,
  RowMemory,
  withShape,
  type BareRows,
  type ExampleColumns,
  type ExampleRows,
  type HostRows,
} from './example-rows.ts';
import type { Slot, Slots } from './fitted-model.ts';
import type { Tensor, Tf } from './tf.ts';

/** All examples at once: inputs and targets with one row each, in tensors or in arrays of the host. */
export interface Examples {
  readonly xs: ExampleColumns;
  readonly ys: ExampleColumns;
}

/** Examples ready to be cut into batches. Tensors among them stay the caller's, unless they are in `made`. */
export interface OpenExamples {
  readonly count: number;
  readonly xs: readonly (HostRows | Tensor)[];
  readonly ys: readonly (HostRows | Tensor)[];
  /** Tensors that were made here and are to be freed at the end. */
  readonly made: readonly Tensor[];
}

/** Engines whose tensors are in host memory: gathering their rows there is several times faster than by a kernel of TensorFlow.js. */
const HOST_ENGINES = new Set(['cpu', 'wasm']);

/**
 * Puts the examples where they are gathered fastest on the present engine.
 * @throws TrainingError `invalidOptions` where they do not fit the model or each other
 */
export async function openExamples(tf: Tf, { xs, ys }: Examples, slots: Slots): Promise<OpenExamples> {
  const made: Tensor[] = [];
  const place = async (rows: ExampleRows, slot: Slot, count?: number): Promise<HostRows | Tensor> => {
    const host = hostRows(rows, slot, count);
    if (host) return host;
    if (!isTensor(rows)) throw new Error('unreachable: rows are an array or a tensor');
    if (HOST_ENGINES.has(tf.getBackend()) && (rows.dtype === 'float32' || rows.dtype === 'int32'))
      return withShape((await rows.data<'float32'>()) as BareRows, rows.shape);
    if (rows.rank > 1) return rows;
    const column = tf.reshape(rows, [-1, 1]);
    made.push(column);
    return column;
  };
  try {
    const inputs: (HostRows | Tensor)[] = [];
    const targets: (HostRows | Tensor)[] = [];
    for (const [i, rows] of inOrder(xs, slots.inputs, 'xs').entries())
      inputs.push(await place(rows, at(slots.inputs, i)));
    const [first] = inputs;
    const count = first ? countOf(first) : 0;
    for (const [i, rows] of inOrder(ys, slots.outputs, 'ys').entries())
      targets.push(await place(rows, at(slots.outputs, i), count));
    refuseOtherCounts([...inputs, ...targets], count);
    return { count, xs: inputs, ys: targets, made };
  } catch (error) {
    tf.dispose(made);
    throw error;
  }
}

function refuseOtherCounts(columns: readonly (HostRows | Tensor)[], count: number): void {
  const wrong = columns.find((rows) => countOf(rows) !== count);
  if (!wrong && count > 0) return;
  const message = `There are ${count} inputs and ${wrong ? countOf(wrong) : 0} others.`;
  throw new TrainingError('invalidOptions', message, {
    hint: 'Give each of xs and ys one row per example, and at least one.',
  });
}

const at = (slots: readonly Slot[], index: number): Slot => slots[index] ?? { name: '', shape: [] };

/** Batches of the examples in the order of a sampler; `weights` has one row of numbers per example for each output. */
export function exampleSource(
  { xs, ys }: Pick<OpenExamples, 'xs' | 'ys'>,
  sampler: IndexSampler,
  weights?: readonly HostRows[],
): BatchSource<ArrayBatch> {
  return {
    size: sampler.size,
    epoch(index, startAt) {
      const [inputs, targets] = [xs.map(gatherer), ys.map(gatherer)];
      const weigh = weights?.map(gatherer);
      const batchOf = (indices: Int32Array): ArrayBatch => ({
        xs: inputs.map((gather) => gather(indices)),
        ys: targets.map((gather) => gather(indices)),
        ...(weigh && { weights: weigh.map((gather) => gather(indices)) }),
      });
      return gathered(sampler, batchOf).epoch(index, startAt);
    },
  };
}

function gatherer(rows: HostRows | Tensor): (indices: Int32Array) => Rows {
  if (!('count' in rows)) return (indices) => ({ tensor: rows, indices });
  const memory = new RowMemory(rows);
  return (indices) => memory.gather(indices);
}
