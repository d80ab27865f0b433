export type {
  Ability,
  Backend,
  BackendSnapshot,
  BatchEvaluation,
  MergedGradient,
  MicroBatchGradient,
} from './backend.ts';
export { Breath } from './breath.ts';
export { broadcastTo, type Tell } from './broadcast.ts';
export { monotonicClock, type Clock } from './clock.ts';
export type {
  AppliedStep,
  BatchController,
  BatchPlan,
  Decision,
  Evidence,
  FailedStep,
  Measurement,
  Reason,
  Recovery,
  RunInfo,
  SecondMoment,
  SnapshotWish,
} from './controller.ts';
export { evaluate } from './evaluate.ts';
export { GradientMeter } from './gradient-meter.ts';
export { GradientSum } from './gradient-sum.ts';
export type { Awaitable, Json } from './json.ts';
export {
  constantRate,
  cosineDecay,
  productOf,
  stepDecay,
  warmUp,
  type LearningRateSchedule,
} from './learning-rate-schedule.ts';
export type { Deferred, GradientMoments, MemoryReading } from './measurements.ts';
export type {
  AbortSignalLike,
  Checkpoint,
  RunSummary,
  StopRule,
  TrainOptions,
  ValidationOptions,
} from './options.ts';
export type { Evaluation, Observer, Progress, RunEvents, StoppedBy, TimeTotals } from './run-events.ts';
export { checkResumable, resumedController } from './resume.ts';
export type { BatchCursor, BatchSource } from './source.ts';
export { Snapshots } from './snapshots.ts';
export { TimeLedger, type StepSeconds } from './time-ledger.ts';
export { train } from './train.ts';
export { TrainingError, type TrainingErrorCode } from './training-error.ts';
