import { TrainingError, type BatchPlan } from '@batchwise/core';

/** A loss that is not finite, of a step that was applied; `applied` says by whom and what is left to do. */
export const nonFinite = (loss: number, plan: BatchPlan, applied: string): TrainingError =>
  new TrainingError('nonFinite', `The loss of a batch of ${plan.batchSize} examples is ${loss}.`, {
    hint:
      `The learning rate was at ${plan.learningRateScale} times its configured value. Lower it, clip the gradients ` +
      `or look for examples with NaN; ${applied}`,
  });
