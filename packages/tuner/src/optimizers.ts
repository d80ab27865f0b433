import type { LearningRateRuleName } from './learning-rate-rules.ts';

/** The optimizers of TensorFlow.js, by how they take a larger batch. */
export type OptimizerName = 'sgd' | 'momentum' | 'adam' | 'adamax' | 'rmsprop' | 'adagrad' | 'adadelta';

/** What the batch and the learning rate need to know of an optimizer. */
export interface OptimizerTraits {
  /** c = φc / φ: how much larger the batch is that still pays than the gradient noise scale says. */
  readonly criticalBatchFactor: number;
  readonly learningRateRule: LearningRateRuleName;
  readonly maxLearningRateScale: number;
}

const adaptive: OptimizerTraits = {
  criticalBatchFactor: 3,
  learningRateRule: 'sqrt',
  maxLearningRateScale: 8,
};

/**
 * Starting values, fitted on small models (two data sets, MNIST among them). McCandlish et al. 2018, Table 1, has c between
 * 0.13 and 20 over its tasks: expect to be wrong by a factor of 3, which costs at most 8 % of time, as the batch goes with √c.
 *
 * SGD's is no smaller than the others': where a batch stops helping it early, that is since its rate can follow no further,
 * for which there is `maxLearningRateScale`. As far as the rate follows, MNIST and the digits take as many examples
 * in batches of 128 as of 32.
 */
const TRAITS: Readonly<Record<OptimizerName, OptimizerTraits>> = {
  sgd: { criticalBatchFactor: 3, learningRateRule: 'linear', maxLearningRateScale: 4 },
  momentum: { criticalBatchFactor: 3, learningRateRule: 'linear', maxLearningRateScale: 8 },
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
