import type { ArrayBatch } from '@batchwise/backend';
import type { Backend, BatchSource } from '@batchwise/core';
import { sequential, shuffled } from '@batchwise/sampler';
import { datasetFeed, type ExampleDataset } from './dataset-feed.ts';
import { exampleSource, openExamples, type Examples } from './example-source.ts';
import { sourceFeed, type Feed } from './feed.ts';
import type { Slots } from './fitted-model.ts';
import type { Tf } from './tf.ts';

/** What can be trained on: all examples at once, a source of Batchwise, or a data set of single examples. */
export type TunedSource = Examples | BatchSource<ArrayBatch> | ExampleDataset;

/** In which order examples are visited that are given all at once. */
export interface OrderOptions {
  /** A new order in each epoch. Default true, as in `fit`. */
  readonly shuffle?: boolean | undefined;
  /** Decides the orders, an integer from 0 to 2⁵³ − 1. Default 0. */
  readonly seed?: number | undefined;
}

/** The order that the options ask for. */
export const samplerOf = (size: number, { shuffle = true, seed = 0 }: OrderOptions) =>
  shuffle ? shuffled(size, { seed }) : sequential(size);

/**
 * Opens a source for a model.
 * @throws TrainingError `invalidOptions` where examples do not fit the model; RangeError for a seed that is none
 */
export async function openFeed(
  tf: Tf,
  source: TunedSource,
  {
    slots,
    cutter,
    order,
  }: { slots: Slots; cutter: Pick<Backend<ArrayBatch, unknown>, 'sizeOf' | 'split'>; order: OrderOptions },
): Promise<Feed> {
  if ('iterator' in source) return datasetFeed(tf, source, slots);
  if ('epoch' in source) return sourceFeed(tf, source, { cutter, made: [] });
  const examples = await openExamples(tf, source, slots);
  const batches = exampleSource(examples, samplerOf(examples.count, order));
  return sourceFeed(tf, batches, { cutter, made: examples.made });
}
