import { tfjsBackend } from '@batchwise/backend';
import {
  monotonicClock,
  Snapshots,
  TrainingError,
  type BatchController,
  type Json,
  type Observer,
  type RunInfo,
} from '@batchwise/core';
import type { Beforehand } from './beforehand.ts';
import type { Feed } from './feed.ts';
import type { FitLeftovers } from './fit-leftovers.ts';
import { fittedModel, slotsOf, type FittedModel } from './fitted-model.ts';
import { openFeed, type OrderOptions, type TunedSource } from './open-feed.ts';
import { isTapped } from './optimizer-tap.ts';
import type { LayersModel, Tf } from './tf.ts';
import { openController, type TuningOptions } from './tuning-options.ts';

/** What `fitDataset` tells its callbacks before it starts. */
export interface FitParams {
  /** The epoch to end with. */
  readonly epochs: number;
  /** `batchesPerEpoch`; null where the data set ends an epoch. */
  readonly steps: number | null;
  /** How many examples there are, which `fit` knows and `fitDataset` does not. */
  readonly samples: number | null;
}

const ELSEWHERE =
  'Call model.fitDataset(tuned.dataset, …) with the data set as it is; for model.fit there is fit.';

/** What a run is made of. */
export interface FitDatasetSetting {
  readonly tf: Tf;
  readonly model: LayersModel;
  readonly params: FitParams;
  readonly options: TuningOptions & OrderOptions & { readonly source: TunedSource };
  readonly observers: readonly Observer[];
  readonly leftovers: FitLeftovers;
  readonly beforehand: Beforehand;
}

/** What a run has opened. */
export interface OpenedRun {
  readonly model: FittedModel;
  readonly controller: BatchController<Json>;
  readonly backend: ReturnType<typeof tfjsBackend>;
  readonly feed: Feed;
  /** Weights to go back to, where the controller may want to. */
  readonly snapshots: Snapshots<Json>;
}

/** What was asked for in a way that cannot be. */
export const misuse = (message: string, hint: string): TrainingError =>
  new TrainingError('invalidOptions', message, { hint });

/** The tuned callback without the tuned data set. */
export const batchesFromElsewhere = (): TrainingError =>
  misuse('The tuned callback is there, but the batches do not come from the tuned data set.', ELSEWHERE);

/**
 * Opens the controller and the source for a model that is about to be fitted.
 * @throws TrainingError `invalidOptions`, `cannotMeasure`; RangeError for options out of range
 */
export async function openRun({
  tf,
  model,
  params,
  options,
  beforehand,
}: FitDatasetSetting): Promise<OpenedRun> {
  if (params.samples !== null) throw batchesFromElsewhere();
  const fitted = fittedModel(model);
  if (isTapped(fitted.optimizer))
    throw misuse('Two tuned callbacks are in one training.', 'Give callbacks just one of them.');
  const backend = tfjsBackend(tf, model);
  const slots = slotsOf(fitted);
  const feed = await openFeed(tf, options.source, { slots, cutter: backend, order: options });
  try {
    const run = expectedRun(feed, params, options.seed);
    const source = () => feed.forTrials();
    const controller = await openController(options, { tf, model, run, source, beforehand });
    refuseMemory(controller);
    const snapshots = new Snapshots(backend, controller);
    // A copy of the weights is no training.
    await beforehand.timed(options.clock ?? monotonicClock, () => snapshots.open());
    return { model: fitted, controller, backend, feed, snapshots };
  } catch (error) {
    feed.dispose();
    throw error;
  }
}

function refuseMemory({ name, measures }: BatchController<Json>): void {
  if (!measures.includes('memory')) return;
  throw new TrainingError('cannotMeasure', `${name} needs memory measured.`, {
    hint: 'That is not done inside fitDataset; use fit of @batchwise/callback, or another controller.',
  });
}

/** From epoch 0 on: which one it begins with TensorFlow.js tells later. */
const expectedRun = ({ size }: Feed, params: FitParams, seed = 0): RunInfo => ({
  datasetSize: size,
  plannedExamples: plannedExamples(size, params, 0),
  seed,
});

/** How much will be trained on, where that is known: not where TensorFlow.js counts batches, whose size varies. */
export const plannedExamples = (
  size: number | undefined,
  { epochs, steps }: FitParams,
  epoch: number,
): number | undefined => (size !== undefined && steps === null ? size * (epochs - epoch) : undefined);
