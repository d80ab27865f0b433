import type { BatchController, Decision, Json } from '@batchwise/core';
import { checkAbove, checkCount } from './check.ts';
import { mapRecovery } from './recovery.ts';

/** How the learning rate follows the batch; a function gets batchSize / referenceBatchSize and answers the factor. */
export type LearningRateRule = 'linear' | 'sqrt' | 'none' | ((growth: number) => number);

/** How the learning rate is coupled to the batch. */
export interface LearningRateOptions {
  readonly rule: LearningRateRule;
  /** The batch size, in examples, for which the learning rate was configured: there the factor is 1. */
  readonly referenceBatchSize: number;
  /**
   * Largest factor. Default 4 for `linear` (plain SGD; momentum stands 8), 8 for `sqrt`; beyond these a rate that was
   * sound at the reference batch stopped being stable in the runs behind the defaults. A function has no default cap.
   */
  readonly maxScale?: number | undefined;
  /** Largest relative rise from one step to the next, as in a warm-up. Default 0.05. */
  readonly risePerStep?: number | undefined;
}

const DEFAULT_MAX_SCALE = { linear: 4, sqrt: 8, none: 1 } as const;

/**
 * The factor on the learning rate for a batch of `batchSize`, growth = batchSize / referenceBatchSize:
 * min(growth, maxScale) for `linear` (Goyal et al. 2017, arXiv 1706.02677, section 2.1; SGD and momentum),
 * min(√growth, maxScale) for `sqrt` (Malladi et al. 2022, arXiv 2205.10287; Adam and its kin), 1 for `none`. Below the
 * reference batch the factor is below 1.
 * @throws RangeError where a rule of your own answers anything but a finite number above 0
 */
export function learningRateScale(
  batchSize: number,
  { rule, referenceBatchSize, maxScale }: Omit<LearningRateOptions, 'risePerStep'>,
): number {
  const growth = batchSize / referenceBatchSize;
  if (typeof rule === 'function') {
    const scale = rule(growth);
    checkAbove(scale, `The learning-rate rule's answer for ${growth} times the batch`);
    return Math.min(scale, maxScale ?? Infinity);
  }
  const scale = { linear: growth, sqrt: Math.sqrt(growth), none: 1 }[rule];
  return Math.min(scale, maxScale ?? DEFAULT_MAX_SCALE[rule]);
}

/**
 * Couples the learning rate to the batch, with `learningRateScale`. A smaller batch lowers the rate at once; a larger
 * one raises it by `risePerStep` a step, and a firm decision (a size that is only being tried) does not raise it at all.
 * Put it outermost, where it sees the batch that really runs.
 * @throws RangeError where `referenceBatchSize` is not a whole number of at least 1, or another number is not above 0
 */
export function withLearningRate<State extends Json>(
  inner: BatchController<State>,
  options: LearningRateOptions,
): BatchController<State> {
  const { risePerStep = 0.05 } = options;
  checkCount(options.referenceBatchSize, 'referenceBatchSize');
  if (options.maxScale !== undefined) checkAbove(options.maxScale, 'maxScale');
  checkAbove(risePerStep, 'risePerStep');

  function scaled(decision: Decision<State>, limit: number): Decision<State> {
    const target = learningRateScale(decision.plan.batchSize, options);
    return { ...decision, plan: { ...decision.plan, learningRateScale: Math.min(target, limit) } };
  }
  /** `before` is the factor of the step that just ran. */
  const ramped = (decision: Decision<State>, before: number): Decision<State> =>
    scaled(decision, decision.firm ? before : before * (1 + risePerStep));

  return {
    name: inner.name,
    measures: inner.measures,
    start: (run) => scaled(inner.start(run), 1),
    next: (step, state) => ramped(inner.next(step, state), step.plan.learningRateScale),
    recover: (step, state) =>
      mapRecovery(inner.recover(step, state), (decision) => ramped(decision, step.plan.learningRateScale)),
  };
}
