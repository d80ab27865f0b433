export { bestBatchSize, goodputOf, type ExamplesLaw, type GoodputOf } from './goodput-maths.ts';
export type { Ceiling } from './ceiling.ts';
export type { Exploration, ExplorationOptions } from './exploration.ts';
export { fixed } from './fixed.ts';
export { goodput, type GoodputState } from './goodput.ts';
export type { GoodputOptions } from './goodput-options.ts';
export { inGroups, type GroupedState } from './in-groups.ts';
export { knee, type KneeOptions, type KneeState } from './knee.ts';
export { ladder, nearestRung, type LadderOptions } from './ladder.ts';
export {
  learningRateScale,
  type LearningRateQuestion,
  type LearningRateRule,
  type LearningRateRuleName,
} from './learning-rate-rules.ts';
export type { LossWatch } from './loss-watch.ts';
export type { MeasuringOptions } from './measuring.ts';
export { noiseScale, type NoiseScalePolicyOptions, type NoiseScalePolicyState } from './noise-scale.ts';
export type { NoiseOptions, NoiseWatch } from './noise-watch.ts';
export { optimizerTraits, type OptimizerName, type OptimizerTraits } from './optimizers.ts';
export {
  largestBatchSize,
  policy,
  policyNames,
  settledRateScale,
  type PolicyName,
  type PolicyOptions,
} from './policy.ts';
export type { PriorStepTime, TuningPrior } from './prior.ts';
export {
  schedule,
  type GrowthRule,
  type Milestone,
  type ScheduleOptions,
  type ScheduleState,
} from './schedule.ts';
export type { SizeOptions, SizeRange } from './size-range.ts';
export {
  addStepTime,
  fitStepTime,
  stepSeconds,
  usualSeconds,
  type RungTimes,
  type StepTime,
  type StepTimeFit,
  type StepTimes,
} from './step-time.ts';
export type { Timing } from './timing.ts';
export {
  replay,
  runTracer,
  type RunTrace,
  type RunTracer,
  type TracedFailure,
  type TracedGradient,
  type TracedStep,
} from './trace.ts';
export {
  ceilingOf,
  mergedRecord,
  parseTuningRecord,
  priorOf,
  tuningRecorder,
  type TuningRecord,
  type TuningRecorder,
} from './tuning-record.ts';
export { batchNormAdvice, withBatchNormAdvice, type BatchNormOptions } from './with-batch-norm-advice.ts';
export { withCeiling, type CeilingOptions, type CeilingState } from './with-ceiling.ts';
export { withGuard, type GuardOptions, type GuardState } from './with-guard.ts';
export { withHysteresis, type HysteresisOptions, type HysteresisState } from './with-hysteresis.ts';
export { withLadder } from './with-ladder.ts';
export { withLearningRate, type LearningRateOptions, type LearningRateState } from './with-learning-rate.ts';
export { withSecondMoment, type SecondMomentState } from './with-second-moment.ts';
