import {
  TrainingError,
  type AbortSignalLike,
  type Awaitable,
  type BatchController,
  type Clock,
  type Json,
  type Observer,
} from '@batchwise/core';
import {
  policy as policyOf,
  type CeilingOptions,
  type OptimizerName,
  type PolicyName,
  type PolicyOptions,
} from '@batchwise/tuner';
import { fittedModel, type FittedOptimizer } from './fitted-model.ts';
import type { LayersModel } from './tf.ts';

/** What fits in memory. The answer of `findCeiling` of @batchwise/memory-probe is one. */
export interface KnownCeiling {
  /** Examples on the device at once; null where not even one fits. */
  readonly batchSize: number | null;
  /** False cuts the batch instead of training it in parts. Default true. */
  readonly accumulate?: boolean | undefined;
}

/** How the batch is tuned; all of it may be left out. */
export interface TuningOptions extends Omit<PolicyOptions, 'ceiling'> {
  /** Default `goodput`. */
  readonly policy?: PolicyName | undefined;
  /** A controller of your own, instead of a policy and its sizes. */
  readonly controller?: BatchController<Json> | undefined;
  /**
   * What fits in memory, or what finds it out: it is called with the compiled model (that inside of a Sequential) before
   * the first step. A batch above it is trained in parts.
   */
  readonly ceiling?: KnownCeiling | ((model: LayersModel) => Awaitable<KnownCeiling | undefined>) | undefined;
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

/**
 * The controller that the options ask for, for a compiled model.
 * @throws TrainingError `invalidOptions` for an unknown optimizer, `outOfMemory` where nothing fits; RangeError for sizes
 * out of order
 */
export async function openController(
  options: TuningOptions,
  model: LayersModel,
): Promise<BatchController<Json>> {
  const { controller, policy = 'goodput', ceiling } = options;
  if (controller) return controller;
  const found = typeof ceiling === 'function' ? await ceiling(model) : ceiling;
  const fixed = policy === 'fixed';
  const optimizer = options.optimizer ?? (fixed ? undefined : nameOfOptimizer(fittedModel(model).optimizer));
  return policyOf(policy, { ...options, optimizer, ceiling: found && usable(found) });
}

function usable({ batchSize, accumulate }: KnownCeiling): CeilingOptions {
  if (batchSize !== null) return { batchSize, accumulate };
  throw new TrainingError('outOfMemory', 'Not even one example fits in memory.', {
    hint: 'Make the model or its inputs smaller, or take a device with more memory.',
  });
}
