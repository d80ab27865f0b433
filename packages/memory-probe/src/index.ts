export type { SizeBounds, StaticLimit } from './bounds.ts';
export {
  allocatorMeter,
  backendMeter,
  type AllocatorReader,
  type MemoryMeter,
  type MeteredBackend,
} from './meters.ts';
export { findCeiling, type Ceiling, type CeilingOptions } from './find-ceiling.ts';
export {
  fitMemory,
  predictPeakBytes,
  upperPeakBytes,
  type MeasuredPeak,
  type MemoryFit,
} from './memory-fit.ts';
export type { CeilingLimit } from './propose.ts';
export { limitsOfRun, obviousPeakBytes, type RunSizes } from './run-limits.ts';
export type { Certainty, PeakReading } from './reading.ts';
export type {
  AbortSignalLike,
  Awaitable,
  CanaryPair,
  Trial,
  TrialOutcome,
  TrialRecord,
  TrialRequest,
  Verdict,
} from './trial.ts';
export { isWithin } from './trial.ts';
export type { DeferredNumber, ProbedBackend, ProbedSource } from './probed-backend.ts';
export { trainingTrial, type KeptState, type TrainingTrialOptions } from './training-trial.ts';
