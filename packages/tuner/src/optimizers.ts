import type { LearningRateRuleName } from './learning-rate-rules.ts';

/** The optimizers of TensorFlow.js, by how they take a larger batch. */
export type OptimizerName = 'sgd' | 'momentum' | 'adam' | 'adamax' | 'rmsprop' | 'adagrad' | 'adadelta';

/** What the batch and the learning rate need to know of an optimizer. */
export interface OptimizerTraits {
  /** c = φc / φ: how much larger the batch is that still pays than the gradient noise scale says. */
  readonly criticalBatchFactor: number;
  /** p and q: the examples to a target go as (1 + (B/φc)^q)^(p/q) while the rate follows its rule. */
  readonly examplesExponent: number;
  readonly examplesSharpness: number;
  readonly learningRateRule: LearningRateRuleName;
  readonly maxLearningRateScale: number;
}

/**
 * The law of McCandlish et al. 2018, whose Table 1 has c between 0.13 and 20 over its tasks: expect to be wrong by a factor
 * of 3, which costs at most 8 % of time, as the batch goes with √c.
 */
export const MCCANDLISH = { criticalBatchFactor: 3, examplesExponent: 1, examplesSharpness: 1 } as const;

const adaptive: OptimizerTraits = {
  criticalBatchFactor: 1,
  examplesExponent: 0.5,
  examplesSharpness: 2,
  learningRateRule: 'sqrt',
  maxLearningRateScale: 8,
};

/**
 * Adam: how the law begins and with which power it ends follow from what Adam divides by, the root rule and a rate that suits
 * small batches (`goodputOf`); with c = 1 it fits what MNIST took in batches of 32 to 2,048. The others that divide by
 * gradients are taken to be like it. SGD and momentum: as far as the rate follows, in batches of 128 and 256, they take as
 * many examples as in batches of 32; where a batch stops helping early, that is since the rate follows no further
 * (`maxLearningRateScale`).
 */
const TRAITS: Readonly<Record<OptimizerName, OptimizerTraits>> = {
  sgd: { ...MCCANDLISH, learningRateRule: 'linear', maxLearningRateScale: 4 },
  momentum: { ...MCCANDLISH, learningRateRule: 'linear', maxLearningRateScale: 8 },
  adam: adaptive,
  adamax: adaptive,
  rmsprop: adaptive,
  adagrad: adaptive,
  adadelta: adaptive,
};

/**
 * How an optimizer takes a larger batch.
 * @throws RangeError for a name that is not listed
 */
export function optimizerTraits(name: OptimizerName): OptimizerTraits {
  if (!Object.hasOwn(TRAITS, name))
    throw new RangeError(`No optimizer is called ${name}; known are ${Object.keys(TRAITS).join(', ')}.`);
  return TRAITS[name];
}
