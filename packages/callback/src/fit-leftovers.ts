import type { FittedModel } from './fitted-model.ts';
import { freeAll } from './leak-guard.ts';
import type { Tensor, Tf, UnresolvedLogs } from './tf.ts';

type Hook = (index: number, logs?: UnresolvedLogs) => Promise<void>;

/** What TensorFlow.js puts before the callbacks of a user: it averages the logs of batches over an epoch. */
interface BaseLogger {
  totals?: Readonly<Record<string, number | Tensor>>;
  onBatchEnd: Hook;
  onEpochEnd: Hook;
}

interface SetModel {
  setModel(this: unknown, model: unknown): void;
}

/**
 * What TensorFlow.js leaves on the device when `fitDataset` throws, such as for a callback that throws: the logs of the
 * batch and the epoch in hand, their running averages, and the History, whose numbers are read only at the end.
 */
export class FitLeftovers {
  #logger: BaseLogger | undefined;
  #logs: readonly UnresolvedLogs[] = [];

  /**
   * Finds the logger, which TensorFlow.js shows to nobody: it is the first whose model is set, before any callback's. To be
   * called from `setParams`; what it covers is uncovered with the first `setModel`, or in any case before anything else runs.
   */
  findLogger(tf: Pick<Tf, 'Callback'>): void {
    const base = Object.getPrototypeOf(tf.Callback.prototype) as SetModel;
    const { setModel } = base;
    let isCovered = true;
    const uncover = (): void => {
      if (isCovered) base.setModel = setModel;
      isCovered = false;
    };
    const found = (logger: BaseLogger): void => this.#watch(logger);
    base.setModel = function (this: BaseLogger, model) {
      uncover();
      found(this);
      setModel.call(this, model);
    };
    queueMicrotask(uncover);
  }

  /** From here on the History of this fit holds numbers only. */
  resolveHistory({ history }: Pick<FittedModel, 'history'>): void {
    const onEpochEnd = history.onEpochEnd.bind(history);
    history.onEpochEnd = async (epoch, logs) => {
      await onEpochEnd(epoch, logs);
      await history.syncData();
    };
  }

  /** Frees what is left of a fit that threw; there is nothing after one that did not. */
  free(): void {
    const holders = [...this.#logs, this.#logger?.totals ?? {}];
    freeAll(holders.flatMap((holder) => Object.values(holder).filter((value) => typeof value !== 'number')));
    this.#logs = [];
  }

  #watch(logger: BaseLogger): void {
    if (typeof logger.onBatchEnd !== 'function' || typeof logger.onEpochEnd !== 'function') return;
    this.#logger = logger;
    for (const name of ['onBatchEnd', 'onEpochEnd'] as const) {
      const hook = logger[name].bind(logger);
      logger[name] = (index, logs) => {
        this.#logs = logs ? [logs] : [];
        return hook(index, logs);
      };
    }
  }
}

declare const queueMicrotask: (callback: () => void) => void;
