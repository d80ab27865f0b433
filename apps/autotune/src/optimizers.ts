import type { LayersTf } from '@batchwise/backend/node';

export const OPTIMIZER_NAMES = ['adam', 'momentum', 'sgd'] as const;

export type OptimizerChoice = (typeof OPTIMIZER_NAMES)[number];

/** Usual rates for batches of 32. */
const USUAL_RATES: Readonly<Record<OptimizerChoice, number>> = { adam: 0.002, momentum: 0.01, sgd: 0.05 };

/** An optimizer of TensorFlow.js and the rate it was made with. */
export function makeOptimizer(tf: LayersTf, name: OptimizerChoice, learningRate = USUAL_RATES[name]) {
  const makers = {
    adam: () => tf.train.adam(learningRate),
    momentum: () => tf.train.momentum(learningRate, 0.9),
    sgd: () => tf.train.sgd(learningRate),
  };
  return { optimizer: makers[name](), learningRate };
}
