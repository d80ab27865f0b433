import type { BatchController, Json } from '@batchwise/core';
import { fixed } from './fixed.ts';
import { goodput } from './goodput.ts';
import { knee } from './knee.ts';
import { optimizerTraits, type OptimizerName } from './optimizers.ts';
import type { SizeOptions } from './size-range.ts';
import { withCeiling, type CeilingOptions } from './with-ceiling.ts';
import { withHysteresis } from './with-hysteresis.ts';
import { withLearningRate } from './with-learning-rate.ts';

/** The names that `policy` takes. */
export const policyNames = ['goodput', 'knee', 'fixed'] as const;

/** One of `policyNames`. */
export type PolicyName = (typeof policyNames)[number];

/** What an application knows of a run; all of it may be left out. */
export interface PolicyOptions extends SizeOptions {
  /** Default `adam`. */
  readonly optimizer?: OptimizerName | undefined;
  /** What fits in memory, where that is known. Default: found out by failing once, and accumulated beyond. */
  readonly ceiling?: CeilingOptions | undefined;
}

/**
 * A whole controller by name, as an application wants it. `batchSize` is the batch of the whole run for `fixed`; for
 * `knee` and `goodput` it is where the run starts and the batch that the learning rate was configured for, and from
 * there the rate follows the batch as fits the optimizer.
 *
 * - `goodput`: withLearningRate(withCeiling(withHysteresis(goodput)))
 * - `knee`: withLearningRate(withCeiling(knee))
 * - `fixed`: withCeiling(fixed)
 * @throws RangeError for an unknown name or optimizer, or sizes out of order
 */
export function policy(name: PolicyName, options: PolicyOptions = {}): BatchController<Json> {
  const { optimizer = 'adam', batchSize = 32, ceiling } = options;
  const { learningRateRule, maxLearningRateScale } = optimizerTraits(optimizer);
  const coupling = { rule: learningRateRule, referenceBatchSize: batchSize, maxScale: maxLearningRateScale };
  switch (name) {
    case 'fixed':
      return withCeiling(fixed(batchSize), ceiling);
    case 'knee':
      return withLearningRate(withCeiling(knee(options), ceiling), coupling);
    case 'goodput':
      return withLearningRate(withCeiling(withHysteresis(goodput(options)), ceiling), coupling);
    default:
      throw new RangeError(`No policy is called ${String(name)}; known are ${policyNames.join(', ')}.`);
  }
}
