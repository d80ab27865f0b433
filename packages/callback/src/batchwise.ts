import { TrainingError, type Observer } from '@batchwise/core';
import { Recorder, type BatchHistory } from './batch-history.ts';
import { Beforehand } from './beforehand.ts';
import { FitDatasetRun } from './fit-dataset-run.ts';
import { FitLeftovers } from './fit-leftovers.ts';
import type { OrderOptions, TunedSource } from './open-feed.ts';
import type { FitParams } from './open-run.ts';
import { printTo } from './print-summary.ts';
import type { Callback, LayersModel, Tf, UnresolvedLogs } from './tf.ts';
import type { TuningOptions } from './tuning-options.ts';

/** What `batchwise` takes. */
export interface BatchwiseOptions extends TuningOptions, OrderOptions {
  /**
   * Tensors or arrays `{ xs, ys }` with one row per example, a source of Batchwise, or a `tf.data.Dataset` of single
   * examples (before `.batch()`). Tensors stay yours.
   */
  readonly source: TunedSource;
}

/** A data set in batches of the tuner's choice, as `model.fitDataset` takes it. */
export interface TunedDataset {
  /** Not a number: nobody knows how many batches it will be. */
  readonly size: number;
  iterator(): Promise<{ next(): Promise<IteratorResult<unknown>> }>;
}

/** The two objects that go into `model.fitDataset`, and what they saw. */
export interface Tuned {
  readonly dataset: TunedDataset;
  readonly callback: Callback;
  /** Of the latest training. */
  readonly history: BatchHistory;
}

/**
 * The tuner for a plain `model.fitDataset`:
 *
 *     const tuned = batchwise(tf, { source: { xs, ys } });
 *     await model.fitDataset(tuned.dataset, { epochs: 5, callbacks: [tuned.callback] });
 *
 * The data set hands out batches of the size that the tuner picks. On a measured step it hands out the batch in two
 * halves: the gradient of the first is held back, and the second applies the mean of both, so that the noise of the
 * gradient is seen at the same weights and no example is trained on twice. `fitDataset` counts such a step as two
 * batches, in the logs of batches and in `batchesPerEpoch`; epoch logs are means over examples and stay right. A source
 * with an `independent` order is measured on a batch of that, in two parts before the one that is trained on.
 *
 * One `fitDataset` at a time; each starts anew. What fits in memory is found out before the first step, since a step that
 * runs out of it ends the training: TensorFlow.js cannot try it again.
 * @throws nothing by itself; `fitDataset` throws TrainingError and RangeError for options that cannot be run
 */
export function batchwise(tf: Tf, options: BatchwiseOptions): Tuned {
  const history = new Recorder();
  const observers = [history, ...(options.observers ?? [])];
  let run: FitDatasetRun | undefined;
  const begin = async (fit: Fit): Promise<void> => {
    const silent = fit.params.verbose === 0;
    const summary: Observer = {
      name: 'summary',
      onRunFinished: printTo(options.summary, { history, silent }),
    };
    const beforehand = (history.beforehand = new Beforehand());
    run = await FitDatasetRun.begin({ tf, options, ...fit, beforehand, observers: [...observers, summary] });
  };
  const going = (): FitDatasetRun => {
    if (run) return run;
    throw new TrainingError('invalidOptions', 'The tuned data set is used without the tuned callback.', {
      hint: 'Give fitDataset callbacks: [tuned.callback, …] as well.',
    });
  };
  const dataset: TunedDataset = {
    size: NaN,
    async iterator() {
      const own = going();
      const reader = own.reader();
      return {
        async next() {
          const value = await own.next(reader);
          return value ? { done: false, value } : { done: true, value: null };
        },
      };
    },
  };
  return { dataset, callback: tunedCallback(tf, { begin, going }), history };
}

/** What `fitDataset` tells when it starts. */
interface Fit {
  readonly model: LayersModel;
  readonly params: FitParams & { readonly verbose?: number };
  readonly leftovers: FitLeftovers;
}

interface CallbackOwner {
  begin(fit: Fit): Promise<void>;
  going(): FitDatasetRun;
}

/** A callback of the user's own TensorFlow.js, since `fitDataset` sets the model of these only. */
function tunedCallback(tf: Tf, { begin, going }: CallbackOwner): Callback {
  class TunedCallback extends tf.Callback {
    #leftovers = new FitLeftovers();
    override setParams(params: Parameters<Callback['setParams']>[0]): void {
      super.setParams(params);
      this.#leftovers = new FitLeftovers();
      this.#leftovers.findLogger(tf);
    }
    override onTrainBegin(): Promise<void> {
      const params = this.params as unknown as Fit['params'];
      return begin({ model: this.model, params, leftovers: this.#leftovers });
    }
    override onEpochBegin(epoch: number): Promise<void> {
      return going().epochBegin(epoch);
    }
    override async onBatchBegin(): Promise<void> {
      going().batchBegin();
    }
    override onBatchEnd(_batch: number, logs?: UnresolvedLogs): Promise<void> {
      return going().batchEnd(logs ?? {});
    }
    override onEpochEnd(): Promise<void> {
      return going().epochEnd();
    }
    override onTrainEnd(): Promise<void> {
      return going().trainEnd();
    }
  }
  return new TunedCallback();
}
