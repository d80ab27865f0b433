/*
 * Proofs for the type checker: what fits by shape without importing core, and what must not compile. An expectation that
 * does not come true is a compile error of its own.
 */
import type { LayersGradient, ArrayBatch as TrainedBatch } from '@batchwise/backend';
import type {
  BatchController,
  BatchSource,
  GradientMoments,
  Json,
  Observer,
  TrainOptions,
} from '@batchwise/core';
import { imageSource, type ArrayBatch as ImageBatch, type LabelledImages } from '@batchwise/data';
import { addSample, type GradientMoments as EstimatorInput } from '@batchwise/noise-scale';
import { gathered, shuffled } from '@batchwise/sampler';
import {
  fixed,
  goodput,
  knee,
  policy,
  withCeiling,
  withHysteresis,
  withLearningRate,
} from '@batchwise/tuner';

declare const images: LabelledImages;
declare const moments: GradientMoments;

/** A sampler package knows nothing of the loop, and yet is a source for it. */
export const fromSampler: BatchSource<number[]> = gathered(shuffled(10, { seed: 1 }), (indices) => [
  ...indices,
]);

/** The batches of `data` are what `backend` trains on. */
export const fromImages: BatchSource<TrainedBatch> = imageSource(images, {
  imageShape: [28, 28, 1],
  classes: 10,
  shuffle: true,
});
export const trained: TrainedBatch = null as unknown as ImageBatch;

/** What the loop measures is what the estimator takes. */
export const estimate = addSample(undefined, moments satisfies EstimatorInput, { horizonExamples: 1000 });

/** Wrappers keep the type of the state that they wrap. */
export const nested = withLearningRate(withCeiling(withHysteresis(goodput())), {
  rule: 'sqrt',
  referenceBatchSize: 32,
});
export const controllers: readonly BatchController<Json>[] = [fixed(32), knee(), nested];
export const options: Pick<TrainOptions<TrainedBatch, LayersGradient, null>, 'controller'> = {
  controller: fixed(8),
};
export const byName: TrainOptions<TrainedBatch, LayersGradient, Json>['controller'] = policy('goodput');

/** An observer watches: events are read-only, and only those that exist can be listened to. */
export const watches = { name: 'watches', onPlanChanged: ({ to }) => void to.batchSize } satisfies Observer;
export const meddles: Observer = {
  name: 'meddles',
  onPlanChanged: (event) => {
    // @ts-expect-error a plan cannot be changed by who watches it
    event.to.batchSize = 1;
  },
};
// @ts-expect-error there is no such event
export const misspelt = { name: 'misspelt', onPlanChange: () => undefined } satisfies Observer;
// @ts-expect-error an observer has a name, which an error in it is reported with
export const nameless: Observer = { onRunStarted: () => undefined };

/** State survives JSON, so a function cannot be part of it. */
// @ts-expect-error a function is not JSON
export type Remembering = BatchController<{ readonly callback: () => void }>;
