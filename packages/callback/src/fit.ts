import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import {
  train,
  type AbortSignalLike,
  type Backend,
  type BatchController,
  type BatchSource,
  type Checkpoint,
  type Decision,
  type Json,
  type Observer,
  type RunInfo,
} from '@batchwise/core';
import { Recorder, type BatchHistory } from './batch-history.ts';
import { openFitData, refuseUnusable, type FitArgs, type FitSources } from './fit-arguments.ts';
import { FitCallbacks } from './fit-callbacks.ts';
import { fittedModel, type FitData, type FittedModel } from './fitted-model.ts';
import { MetricMeans } from './metric-means.ts';
import { printTo } from './print-summary.ts';
import type { History, LayersModel } from './tf.ts';
import { openController } from './tuning-options.ts';

/** What `model.fit` takes, the model first. */
export type FitCall = [model: LayersModel, xs: FitData, ys: FitData, args: FitArgs];

/** The History of `model.fit`, and what became of the batch. */
export interface TunedFitHistory extends History {
  readonly batches: BatchHistory;
}

/**
 * `model.fit` with the tuner: `await fit(model, xs, ys, { tf, epochs: 5 })`. The arguments are those of `model.fit`, and
 * mean the same: shuffling, `validationSplit`, `validationData`, `classWeight`, `callbacks`, `verbose`, `initialEpoch`,
 * `yieldEvery`; `sampleWeight` works too. The loop is that of @batchwise/core: a step that does not fit in memory is tried
 * again in smaller parts where the engine survives it.
 *
 * Other than in `model.fit`: `shuffle` is seeded by `tuner.seed`; the last batch of an epoch trains at its share of the
 * rate; callbacks get numbers, never tensors; a loss that is not finite ends the training; `stepsPerEpoch` and
 * `validationSteps`, which `model.fit` leaves out of account, are refused.
 * @throws what `model.fit` throws for data that do not fit the model, and what a callback throws; TrainingError;
 *   RangeError for sizes out of order
 */
export async function fit(...[model, xs, ys, args]: FitCall): Promise<TunedFitHistory> {
  const inner = fittedModel(model);
  refuseUnusable(args);
  if (inner.isTraining) throw new Error('Cannot start training because another fit() call is ongoing.');
  inner.isTraining = true;
  let data: FitSources | undefined;
  try {
    data = await openFitData(inner, { xs, ys }, args);
    inner.checkTrainableWeightsConsistency();
    return await runFit(model, data, args);
  } finally {
    inner.isTraining = false;
    data?.dispose();
  }
}

/** A graph of the step on native TensorFlow costs as much as it saves in so many of them. */
const FEW_UPDATES = 10;

async function runFit(model: LayersModel, data: FitSources, args: FitArgs): Promise<TunedFitHistory> {
  const { epochs = 1, initialEpoch = 0, batchSize = 32, verbose = 1, tuner = {}, tf } = args;
  const inner = fittedModel(model);
  const metrics = new MetricMeans();
  const samples = data.train.size;
  const doValidation = data.validation !== undefined;
  const params = { epochs, initialEpoch, samples, batchSize, verbose, doValidation };
  const callbacks = new FitCallbacks(args, inner, { params, metrics });
  const batches = new Recorder();
  const summary = { history: batches, silent: verbose === 0 };
  try {
    await callbacks.trainBegin();
    inner.stopTraining = false;
    const updates = Math.ceil(samples / batchSize) * (epochs - initialEpoch);
    const backend = tfjsBackend(tf, model, {
      onTrainingMetrics: metrics.add,
      ...(updates <= FEW_UPDATES && { traced: false }),
    });
    const run = {
      datasetSize: samples,
      plannedExamples: samples * Math.max(0, epochs - initialEpoch),
      seed: tuner.seed ?? 0,
      secondMoment: backend.secondMoment?.(),
    };
    const chosen = await openController(
      { ...tuner, batchSize },
      { tf, model, run, source: () => data.train, beforehand: batches.beforehand },
    );
    const controller = callbacks.wantsBatchLogs ? withLoss(chosen) : chosen;
    if (initialEpoch < epochs)
      await train({
        backend,
        source: withCallbacks(data.train, callbacks, backend),
        controller,
        stop: { epochs },
        resumeFrom: startOf(controller.start(run), initialEpoch),
        observers: [
          batches,
          ...(tuner.observers ?? []).map((observer) => startedWith(run, observer)),
          callbacks.observer,
          { name: 'summary', onRunFinished: printTo(tuner.summary, summary) },
        ],
        seed: run.seed,
        signal: stopSignal(inner, tuner.signal),
        ...(data.validation && { validation: { source: data.validation } }),
        ...(tuner.clock && { clock: tuner.clock }),
      });
    await callbacks.trainEnd();
    return Object.assign(callbacks.history, { batches });
  } catch (error) {
    throw callbacks.failure?.error ?? error;
  } finally {
    metrics.dispose();
  }
}

/** The begin of an epoch and of a batch are told when the loop asks for examples. */
function withCallbacks(
  source: BatchSource<ArrayBatch>,
  callbacks: FitCallbacks,
  backend: Pick<Backend<ArrayBatch, unknown>, 'sizeOf'>,
): BatchSource<ArrayBatch> {
  return {
    size: source.size,
    epoch(index, startAt) {
      const cursor = source.epoch(index, startAt);
      let hasBegun = false;
      return {
        async take(count) {
          if (!hasBegun) await callbacks.epochBegin(index);
          hasBegun = true;
          const batch = await cursor.take(count);
          if (batch) await callbacks.batchBegin(backend.sizeOf(batch));
          return batch;
        },
      };
    },
  };
}

/** Asks for the loss of each step, which the logs of batches have. */
function withLoss(inner: BatchController<Json>): BatchController<Json> {
  const also = (decision: Decision<Json>): Decision<Json> => ({
    ...decision,
    measure: [...new Set([...decision.measure, 'loss' as const])],
  });
  return {
    name: inner.name,
    measures: [...new Set([...inner.measures, 'loss' as const])],
    ...(inner.restores && { restores: true }),
    start: (run) => also(inner.start(run)),
    next: (step, state) => also(inner.next(step, state)),
    recover(step, state) {
      const recovery = inner.recover(step, state);
      return recovery.kind === 'giveUp' ? recovery : { kind: 'retry', decision: also(recovery.decision) };
    },
  };
}

/** The loop plans for the epochs before the first one too; the observer is told what the controller was told. */
function startedWith(run: RunInfo, observer: Observer): Observer {
  if (!observer.onRunStarted) return observer;
  const onRunStarted: Observer['onRunStarted'] = (event) => observer.onRunStarted?.({ ...event, run });
  return new Proxy(observer, {
    get(target, key): unknown {
      const value: unknown = key === 'onRunStarted' ? onRunStarted : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The beginning of a run that counts its epochs from `epoch` on. */
const startOf = (decision: Decision<Json>, epoch: number): Checkpoint<Json> => ({
  epoch,
  examplesIntoEpoch: 0,
  step: 0,
  examples: 0,
  decision,
});

/** Callbacks stop a training through its model, such as `tf.callbacks.earlyStopping`. */
const stopSignal = (model: FittedModel, signal: AbortSignalLike | undefined): AbortSignalLike => ({
  get aborted() {
    return model.stopTraining || (signal?.aborted ?? false);
  },
});
