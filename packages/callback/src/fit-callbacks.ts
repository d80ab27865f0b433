import type { Evaluation, Observer } from '@batchwise/core';
import type { FitArgs } from './fit-arguments.ts';
import type { FittedModel } from './fitted-model.ts';
import type { MetricMeans } from './metric-means.ts';
import type { Callback, History, Logs, Tf } from './tf.ts';

/** A callback as TensorFlow.js calls it: a `tf.Callback`, or a plain object in a `tf.CustomCallback`. */
type Called = Pick<
  Callback,
  'setParams' | 'onTrainBegin' | 'onTrainEnd' | 'onEpochBegin' | 'onEpochEnd' | 'onBatchBegin' | 'onBatchEnd'
> & { setModel(model: unknown): void };

type CustomCallbackArgs = ConstructorParameters<Tf['CustomCallback']>[0];

declare const console: { log(text: string): void };

/** What callbacks get as `params`. */
export interface CallbackParams {
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly samples: number;
  readonly batchSize: number;
  readonly verbose: number;
  readonly doValidation: boolean;
}

/** Calls the callbacks of a `fit` when and with what `model.fit` calls them, and keeps its History. */
export class FitCallbacks {
  readonly history: History;
  /** True where somebody looks at the logs of batches. */
  readonly wantsBatchLogs: boolean;
  /** What a callback threw, which ends the training. */
  failure: { readonly error: unknown } | undefined;
  readonly #callbacks: readonly Called[];
  readonly #metrics: MetricMeans;
  readonly #print: (epoch: number, logs: Logs) => void;
  #batch = 0;

  constructor(
    args: Pick<FitArgs, 'tf' | 'callbacks' | 'yieldEvery'>,
    model: FittedModel,
    { params, metrics }: { readonly params: CallbackParams; readonly metrics: MetricMeans },
  ) {
    const { tf } = args;
    this.history = new tf.History();
    const given = listOf(args.callbacks);
    this.wantsBatchLogs = given.some((callback) => looksAtBatches(tf, callback));
    this.#callbacks = [
      ...given.map((callback) =>
        isCallback(callback) ? callback : new tf.CustomCallback(callback, args.yieldEvery ?? 'auto'),
      ),
      this.history,
    ];
    this.#metrics = metrics;
    this.#print = printerOf(tf, params);
    const names = model.getDedupedMetricsNames();
    const validated = params.doValidation ? names.map((name) => `val_${name}`) : [];
    for (const callback of this.#callbacks) {
      callback.setParams({ ...params, steps: null, metrics: [...names, ...validated] } as never);
      callback.setModel(model);
    }
    model.history = this.history;
  }

  trainBegin(): Promise<void> {
    return this.#call((callback) => callback.onTrainBegin());
  }

  epochBegin(epoch: number): Promise<void> {
    this.#batch = 0;
    return this.#call((callback) => callback.onEpochBegin(epoch));
  }

  batchBegin(size: number): Promise<void> {
    const logs = { batch: this.#batch, size };
    return this.#call((callback) => callback.onBatchBegin(this.#batch, { ...logs }));
  }

  trainEnd(): Promise<void> {
    return this.#call((callback) => callback.onTrainEnd());
  }

  readonly observer: Observer = {
    name: 'callbacks of fit',
    onStepFailed: () => this.#metrics.drop(),
    onStepFinished: async ({ outcome }) => {
      const metrics = await this.#metrics.applied(this.wantsBatchLogs);
      const logs = { batch: this.#batch, size: outcome.examples, loss: outcome.loss ?? NaN, ...metrics };
      await this.#call((callback) => callback.onBatchEnd(this.#batch, logs));
      this.#batch += 1;
    },
    onEpochFinished: async ({ epoch, trainLoss, validation }) => {
      const logs = { ...validationLogs(validation), loss: trainLoss, ...(await this.#metrics.take()) };
      this.#print(epoch, logs);
      await this.#call((callback) => callback.onEpochEnd(epoch, logs));
    },
  };

  async #call(hook: (callback: Called) => Promise<void>): Promise<void> {
    try {
      for (const callback of this.#callbacks) await hook(callback);
    } catch (error) {
      this.failure ??= { error };
      throw error;
    }
  }
}

function validationLogs(validation: Evaluation | undefined): Logs {
  if (!validation) return {};
  const values = Object.entries({ loss: validation.loss, ...validation.metrics });
  return Object.fromEntries(values.map(([name, value]) => [`val_${name}`, value]));
}

/** TensorFlow.js for Node draws a progress bar; here it is a line for each epoch. Elsewhere `model.fit` prints nothing. */
function printerOf(tf: object, { verbose, epochs }: CallbackParams): (epoch: number, logs: Logs) => void {
  if (verbose === 0 || !('node' in tf)) return () => undefined;
  return (epoch, logs) => {
    const values = Object.entries(logs).map(([name, value]) => `${name}=${Number(value.toPrecision(4))}`);
    console.log(`Epoch ${epoch + 1} / ${epochs}: ${values.join(' ')}`);
  };
}

const listOf = (callbacks: FitArgs['callbacks']): readonly (CustomCallbackArgs | Called)[] =>
  callbacks === undefined ? [] : Array.isArray(callbacks) ? callbacks : [callbacks];

const isCallback = (callback: CustomCallbackArgs | Called): callback is Called => 'setParams' in callback;

function looksAtBatches(tf: Tf, callback: CustomCallbackArgs | Called): boolean {
  if (!isCallback(callback)) return callback.onBatchEnd !== undefined || callback.onYield !== undefined;
  return callback.onBatchEnd !== tf.Callback.prototype.onBatchEnd;
}
