export { batchHistory, type BatchChange, type BatchHistory, type BatchNumbers } from './batch-history.ts';
export { tensorBoardObserver, tfvisObserver, type SummaryWriter, type Tfvis } from './chart-observers.ts';
export {
  createTuner,
  type PlanChange,
  type StepReport,
  type TunedStep,
  type Tuner,
  type TunerOptions,
} from './create-tuner.ts';
export { gradientMoments, type GradientPart } from './gradient-moments.ts';
export type { Tf } from './tf.ts';
export type { SessionState } from './tuning-session.ts';
