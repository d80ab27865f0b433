import { TrainingError, type BatchPlan } from '@batchwise/core';

/** A loss that is not finite. */
export const nonFinite = (loss: number, plan: BatchPlan): TrainingError =>
  new TrainingError('nonFinite', `The loss of a batch of ${plan.batchSize} examples is ${loss}.`);

/** The end of a training by the controller's last words; `applied` says who made the update and what is left to do. */
export const endOf = (cause: TrainingError, lastWords: string, applied: string): TrainingError =>
  new TrainingError('nonFinite', lastWords, { hint: applied, cause });
