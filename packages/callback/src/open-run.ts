import { tfjsBackend } from '@batchwise/backend';
import { Snapshots, TrainingError, type BatchController, type Json, type Observer } from '@batchwise/core';
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
export async function openRun({ tf, model, params, options }: FitDatasetSetting): Promise<OpenedRun> {
  if (params.samples !== null) throw batchesFromElsewhere();
  const fitted = fittedModel(model);
  if (isTapped(fitted.optimizer))
    throw misuse('Two tuned callbacks are in one training.', 'Give callbacks just one of them.');
  const controller = await openController(options, model);
  if (controller.measures.includes('memory'))
    throw new TrainingError('cannotMeasure', `${controller.name} needs memory measured.`, {
      hint: 'That is not done inside fitDataset; use fit of @batchwise/callback, or another controller.',
    });
  const backend = tfjsBackend(tf, model);
  const snapshots = new Snapshots(backend, controller);
  await snapshots.open();
  const slots = slotsOf(fitted);
  const feed = await openFeed(tf, options.source, { slots, cutter: backend, order: options });
  return { model: fitted, controller, backend, feed, snapshots };
}
