import type { ArrayBatch } from '@batchwise/backend';
import { TrainingError, type BatchSource } from '@batchwise/core';
import { withShape, type BareRows, type HostRows } from './example-rows.ts';
import { exampleSource } from './example-source.ts';
import type { Feed, FeedBatch, Piece } from './feed.ts';
import type { Slot, Slots } from './fitted-model.ts';
import { freeAll } from './leak-guard.ts';
import type { Tensor, Tf } from './tf.ts';

/** One input or target of one example, as a data set of TensorFlow.js gives it. */
type Leaf = Tensor | number | boolean | ArrayLike<unknown>;
type Leaves = Leaf | { readonly [name: string]: Leaf };

/** A `tf.data.Dataset` of single examples `{ xs, ys }`, before `.batch()`. */
export interface ExampleDataset {
  readonly size: number | null;
  iterator(): Promise<{ next(): Promise<{ readonly done?: boolean; readonly value: unknown }> }>;
}

interface Example {
  readonly xs: readonly Leaf[];
  readonly ys: readonly Leaf[];
}

/** No batch has more examples. */
const MOST_COPIES = 2 ** 31 - 1;

const invalid = (message: string, hint: string): TrainingError =>
  new TrainingError('invalidOptions', message, { hint });

/** Batches of any size from a data set of single examples, as its own `.batch()` makes them of a fixed one. */
export function datasetFeed(tf: Tf, dataset: ExampleDataset, slots: Slots): Feed {
  const { size } = dataset;
  return {
    size: size !== null && Number.isFinite(size) && size >= 0 ? size : undefined,
    repeats: false,
    async epoch() {
      const iterator = await dataset.iterator();
      return {
        async take(count) {
          const examples: Example[] = [];
          try {
            while (examples.length < count) {
              const { done, value } = await iterator.next();
              if (done) break;
              examples.push(exampleOf(value, slots));
            }
          } catch (error) {
            freeExamples(examples);
            throw error;
          }
          return examples.length === 0 ? undefined : batchOf(tf, examples);
        },
      };
    },
    forTrials: () => copiesOfOne(tf, dataset, slots),
    dispose: () => undefined,
  };
}

/** The first example over and over, in host memory. */
async function copiesOfOne(
  tf: Tf,
  dataset: ExampleDataset,
  slots: Slots,
): Promise<BatchSource<ArrayBatch> | undefined> {
  const { done, value } = await (await dataset.iterator()).next();
  if (done) return undefined;
  const tensors = pieceOf(tf, [exampleOf(value, slots)]).upload();
  const read = async (tensor: Tensor): Promise<HostRows> =>
    withShape((await tensor.data<'float32'>()) as BareRows, tensor.shape);
  try {
    const [xs, ys] = await Promise.all([tensors.xs, tensors.ys].map((list) => Promise.all(list.map(read))));
    const always = { size: MOST_COPIES, epoch: () => ({ take: (count: number) => new Int32Array(count) }) };
    return exampleSource({ xs: xs ?? [], ys: ys ?? [] }, always);
  } finally {
    freeAll([...tensors.xs, ...tensors.ys]);
  }
}

const batchOf = (tf: Tf, examples: readonly Example[]): FeedBatch => ({
  size: examples.length,
  pieces: (size) =>
    Array.from({ length: Math.ceil(examples.length / size) }, (_, i) =>
      pieceOf(tf, examples.slice(i * size, (i + 1) * size)),
    ),
});

function pieceOf(tf: Tf, examples: readonly Example[]): Piece {
  const columns = (what: 'xs' | 'ys'): Tensor[] => {
    const [first] = examples;
    return (first?.[what] ?? []).map((_, column) =>
      stacked(
        tf,
        examples.map((example) => example[what][column]),
      ),
    );
  };
  return {
    examples: examples.length,
    upload() {
      try {
        return { xs: columns('xs'), ys: columns('ys') };
      } finally {
        freeExamples(examples);
      }
    },
    dispose: () => freeExamples(examples),
  };
}

function stacked(tf: Tf, leaves: readonly (Leaf | undefined)[]): Tensor {
  const tensors = leaves.filter(isTensor);
  if (tensors.length === leaves.length)
    return tensors[0]?.rank === 0 ? column(tf, tensors) : tf.stack(tensors);
  // Numbers and (nested, typed) arrays, which `tensor` joins under a new first dimension.
  const values = tf.tensor(leaves as number[]);
  if (values.rank > 1) return values;
  const wide = tf.reshape(values, [-1, 1]);
  values.dispose();
  return wide;
}

/** Single numbers are one feature each, [examples, 1], as `fit` takes a tensor of rank 1. */
const column = (tf: Tf, scalars: Tensor[]): Tensor => tf.tidy(() => tf.reshape(tf.stack(scalars), [-1, 1]));

const isTensor = (leaf: unknown): leaf is Tensor =>
  typeof leaf === 'object' && leaf !== null && 'dataSync' in leaf;

function freeExamples(examples: readonly Example[]): void {
  freeAll(examples.flatMap(({ xs, ys }) => [...xs, ...ys].filter(isTensor)));
}

function exampleOf(value: unknown, { inputs, outputs }: Slots): Example {
  if (typeof value !== 'object' || value === null || !('xs' in value) || !('ys' in value))
    throw invalid('The data set does not give { xs, ys }.', 'Map its elements to objects with xs and ys.');
  const example = {
    xs: leavesOf(value.xs as Leaves, inputs),
    ys: leavesOf(value.ys as Leaves, outputs),
  };
  try {
    refuseBatches(example.xs[0], inputs[0]);
  } catch (error) {
    freeExamples([example]);
    throw error;
  }
  return example;
}

function leavesOf(value: Leaves, slots: readonly Slot[]): Leaf[] {
  if (typeof value !== 'object' || isTensor(value) || Array.isArray(value) || ArrayBuffer.isView(value))
    return slots.length > 1 && Array.isArray(value) ? (value as Leaf[]) : [value as Leaf];
  const named = value as Readonly<Record<string, Leaf>>;
  return slots.map(({ name }) => {
    const leaf = named[name];
    if (leaf !== undefined) return leaf;
    throw invalid(`The data set has no "${name}".`, `It has ${Object.keys(named).join(', ')}.`);
  });
}

/** A data set in batches would be taken for examples of one dimension more. */
function refuseBatches(leaf: Leaf | undefined, slot: Slot | undefined): void {
  if (!isTensor(leaf) || !slot || leaf.rank < slot.shape.length) return;
  throw invalid(
    `The data set gives tensors of [${leaf.shape.join(', ')}] for examples of ` +
      `[${slot.shape.slice(1).join(', ')}]; it seems to be in batches already.`,
    'Hand it over as it is before .batch(): the tuner makes the batches.',
  );
}
