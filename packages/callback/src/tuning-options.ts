import type { ArrayBatch } from '@batchwise/backend';
import {
  monotonicClock,
  TrainingError,
  type AbortSignalLike,
  type Awaitable,
  type BatchController,
  type BatchSource,
  type Clock,
  type Json,
  type Observer,
  type RunInfo,
} from '@batchwise/core';
import {
  largestBatchSize,
  policy as policyOf,
  settledRateScale,
  withCeiling,
  type CeilingOptions,
  type OptimizerName,
  type PolicyName,
  type PolicyOptions,
} from '@batchwise/tuner';
import type { Beforehand } from './beforehand.ts';
import { checkBytes } from './check.ts';
import { fittedModel, type FittedOptimizer } from './fitted-model.ts';
import { probeMemory } from './probe-memory.ts';
import type { LayersModel, Tf } from './tf.ts';

/** What fits in memory. The answer of `findCeiling` of @batchwise/memory-probe is one. */
export interface KnownCeiling {
  /** Examples on the device at once; null where not even one fits. */
  readonly batchSize: number | null;
  /** False cuts the batch instead of training it in parts. Default true. */
  readonly accumulate?: boolean | undefined;
}

/** How the batch is tuned; all of it may be left out. `batchNorm` is as the model is by default. */
export interface TuningOptions extends Omit<PolicyOptions, 'ceiling'> {
  /** Default `goodput`. */
  readonly policy?: PolicyName | undefined;
  /** A controller of your own, instead of a policy and its sizes. */
  readonly controller?: BatchController<Json> | undefined;
  /**
   * What fits in memory, or what finds it out: it is called with the compiled model (that inside of a Sequential) before
   * the first step. A batch above it is trained in parts. Default: it is looked for by training the model itself at a few
   * sizes before the first step, for up to 4 % of the examples; weights and optimizer are as they were afterwards.
   * `false` leaves that out.
   */
  readonly ceiling?:
    KnownCeiling | ((model: LayersModel) => Awaitable<KnownCeiling | undefined>) | false | undefined;
  /**
   * Bytes that a training step may take, for that search. Default: what the engine allows (3.2 GB on wasm), and in Node
   * 80 % of what is free where it computes in host memory; on GPUs sizes grow until one fails.
   */
  readonly memoryBytes?: number | undefined;
  readonly observers?: readonly Observer[] | undefined;
  /** Decides the order of the examples. Default 0. */
  readonly seed?: number | undefined;
  /** Ends the training after the batch in hand. */
  readonly signal?: AbortSignalLike | undefined;
  /** Where the summary at the end goes; false for none. Default: the console, unless `verbose` is 0. */
  readonly summary?: ((text: string) => void) | boolean | undefined;
  readonly clock?: Clock | undefined;
}

const OPTIMIZERS: Readonly<Record<string, OptimizerName>> = {
  SGD: 'sgd',
  Momentum: 'momentum',
  Adam: 'adam',
  Adamax: 'adamax',
  RMSProp: 'rmsprop',
  Adagrad: 'adagrad',
  Adadelta: 'adadelta',
};

/**
 * The optimizer by the name under which the policies know it.
 * @throws TrainingError `invalidOptions` for one that TensorFlow.js does not ship
 */
export function nameOfOptimizer(optimizer: Pick<FittedOptimizer, 'getClassName'>): OptimizerName {
  const className = optimizer.getClassName?.() ?? 'without a name';
  const name = Object.hasOwn(OPTIMIZERS, className) ? OPTIMIZERS[className] : undefined;
  if (name !== undefined) return name;
  throw new TrainingError('invalidOptions', `The optimizer ${className} is not one of TensorFlow.js.`, {
    hint: `Say which it takes a larger batch like: optimizer: ${Object.values(OPTIMIZERS)
      .map((known) => `'${known}'`)
      .join(' | ')}.`,
  });
}

/** What is known of a fit before its controller is. */
export interface KnownFit {
  readonly tf: Tf;
  readonly model: LayersModel;
  readonly run: RunInfo;
  /** Examples for trials of memory; undefined where there are none to be had. */
  readonly source: () => Awaitable<BatchSource<ArrayBatch> | undefined>;
  /** Is told what the trials found, where there were any to be made, how long that took, and how the rate goes with the batch. */
  readonly beforehand: Beforehand;
}

/**
 * The controller that the options ask for, for a compiled model.
 * @throws TrainingError `invalidOptions` for an unknown optimizer, `outOfMemory` where nothing fits; RangeError for sizes
 * out of order, or `memoryBytes` that is no finite number above 0
 */
export async function openController(options: TuningOptions, fit: KnownFit): Promise<BatchController<Json>> {
  const { controller, policy = 'goodput', memoryBytes } = options;
  checkBytes(memoryBytes, 'memoryBytes');
  const isNeeded = !controller && policy !== 'fixed';
  const optimizer =
    options.optimizer ?? (isNeeded ? nameOfOptimizer(fittedModel(fit.model).optimizer) : undefined);
  const chosen = { ...options, optimizer };
  const clock = options.clock ?? monotonicClock;
  const found = await fit.beforehand.timed(clock, () => ceilingOf(chosen, fit));
  if (controller) return found ? withCeiling(controller, usable(found)) : controller;
  fit.beforehand.rateOfSize = (batchSize) =>
    settledRateScale(policy, chosen, { batchSize, datasetSize: fit.run.datasetSize });
  const batchNorm = options.batchNorm ?? hasBatchNorm(fit.model);
  return policyOf(policy, { ...chosen, batchNorm, ceiling: found && usable(found) });
}

/** Whether a model, or one inside of it, normalises by the statistics of a batch. */
const hasBatchNorm = ({ layers }: Pick<LayersModel, 'layers'>): boolean =>
  layers.some(
    (layer) =>
      layer.getClassName() === 'BatchNormalization' ||
      ('layers' in layer && hasBatchNorm(layer as LayersModel)),
  );

async function ceilingOf(options: TuningOptions, fit: KnownFit): Promise<KnownCeiling | undefined> {
  const { controller, policy = 'goodput', ceiling, memoryBytes, batchSize = 32 } = options;
  if (typeof ceiling === 'function') return ceiling(fit.model);
  if (ceiling !== undefined) return ceiling === false ? undefined : ceiling;
  const { datasetSize, plannedExamples } = fit.run;
  // Nobody knows what a controller of one's own will choose, nor in a training without an end how much trials may take.
  if (controller || policy === 'fixed' || plannedExamples === undefined) return undefined;
  const source = await fit.source();
  if (!source) return undefined;
  const start = Math.min(batchSize, datasetSize ?? Infinity);
  const plan = { start, largest: largestBatchSize(policy, options, fit.run) };
  const memory = await probeMemory({ ...fit, source, plan, budgetBytes: memoryBytes });
  fit.beforehand.memory = memory;
  return memory.batchSize === undefined ? undefined : { batchSize: memory.batchSize };
}

function usable({ batchSize, accumulate }: KnownCeiling): CeilingOptions {
  if (batchSize !== null) return { batchSize, accumulate };
  throw new TrainingError('outOfMemory', 'Not even one example fits in memory.', {
    hint: 'Make the model or its inputs smaller, or take a device with more memory.',
  });
}
