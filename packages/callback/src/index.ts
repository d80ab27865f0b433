export { batchHistory, type BatchChange, type BatchHistory, type BatchNumbers } from './batch-history.ts';
export { batchwise, type BatchwiseOptions, type Tuned, type TunedDataset } from './batchwise.ts';
export { tensorBoardObserver, tfvisObserver, type SummaryWriter, type Tfvis } from './chart-observers.ts';
export {
  createTuner,
  type PlanChange,
  type StepReport,
  type TunedStep,
  type Tuner,
  type TunerOptions,
} from './create-tuner.ts';
export type { ExampleDataset } from './dataset-feed.ts';
export type { BareRows, ExampleColumns, ExampleRows } from './example-rows.ts';
export type { Examples } from './example-source.ts';
export { fit, type FitCall, type TunedFitHistory } from './fit.ts';
export type { FitArgs } from './fit-arguments.ts';
export type { FitData } from './fitted-model.ts';
export { gradientMoments, type GradientMomentsOptions, type GradientPart } from './gradient-moments.ts';
export type { OrderOptions, TunedSource } from './open-feed.ts';
export type { ProbedMemory } from './probe-memory.ts';
export type { Tf } from './tf.ts';
export type { TunerHistory } from './tuner-history.ts';
export type { KnownCeiling, TuningOptions } from './tuning-options.ts';
export type { SessionState } from './tuning-session.ts';
