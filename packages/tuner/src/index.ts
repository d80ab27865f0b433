export { bestBatchSize, goodputOf, type GoodputOf } from './goodput-maths.ts';
export type { Ceiling } from './ceiling.ts';
export type { Exploration, ExplorationOptions } from './exploration.ts';
export { fixed } from './fixed.ts';
export { goodput, type GoodputState } from './goodput.ts';
export type { GoodputOptions } from './goodput-options.ts';
export { knee, type KneeOptions, type KneeState } from './knee.ts';
export { ladder, nearestRung, type LadderOptions } from './ladder.ts';
export type { MeasuringOptions } from './measuring.ts';
export { optimizerTraits, type OptimizerName, type OptimizerTraits } from './optimizers.ts';
export { policy, policyNames, type PolicyName, type PolicyOptions } from './policy.ts';
export type { SizeOptions, SizeRange } from './size-range.ts';
export {
  addStepTime,
  fitStepTime,
  medianSeconds,
  stepSeconds,
  type RungTimes,
  type StepTime,
  type StepTimeFit,
  type StepTimes,
} from './step-time.ts';
export type { Timing } from './timing.ts';
export { withCeiling, type CeilingOptions, type CeilingState } from './with-ceiling.ts';
export { withHysteresis, type HysteresisOptions, type HysteresisState } from './with-hysteresis.ts';
export { withLadder } from './with-ladder.ts';
export {
  learningRateScale,
  withLearningRate,
  type LearningRateOptions,
  type LearningRateRule,
} from './with-learning-rate.ts';
