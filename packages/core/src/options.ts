import type { Backend } from './backend.ts';
import type { Clock } from './clock.ts';
import type { BatchController, Decision } from './controller.ts';
import type { Json } from './json.ts';
import type { LearningRateSchedule } from './learning-rate-schedule.ts';
import type { Evaluation, Observer, Progress, StoppedBy, TimeTotals } from './run-events.ts';
import type { BatchSource } from './source.ts';

/** When a run ends: at the first of those given. */
export interface StopRule {
  readonly epochs?: number;
  readonly examples?: number;
  /** Wall time from the start of the run, evaluation included. */
  readonly seconds?: number;
  /** A validation metric (or `loss`) that reaches `value`; `direction` says from which side. */
  readonly target?: {
    readonly metric: string;
    readonly value: number;
    readonly direction: 'atLeast' | 'atMost';
  };
}

/** How the model is watched while it trains. */
export interface ValidationOptions<Batch> {
  readonly source: BatchSource<Batch>;
  /** Examples trained on between two validations; one epoch where it is not given. */
  readonly everyExamples?: number;
  /** Examples per evaluated batch; it has no influence on the result. Default 512, halved where that does not fit. */
  readonly batchSize?: number;
}

/** Enough to go on with a run as if it had not been interrupted (the weights are the model's own to save). */
export interface Checkpoint<State extends Json> {
  readonly epoch: number;
  readonly examplesIntoEpoch: number;
  readonly step: number;
  readonly examples: number;
  readonly decision: Decision<State>;
  /** The state of a source that learns; `train` does not put it back, the source is made anew from it. */
  readonly source?: Json;
}

/** What `train` takes: one plug per socket, when to stop, and how to watch. */
export interface TrainOptions<Batch, Gradient, State extends Json> {
  readonly backend: Backend<Batch, Gradient>;
  readonly source: BatchSource<Batch>;
  readonly controller: BatchController<State>;
  readonly stop: StopRule;
  readonly validation?: ValidationOptions<Batch>;
  readonly schedule?: LearningRateSchedule;
  readonly observers?: readonly Observer[];
  /** Handed to the controller; sources and models have seeds of their own. Default 0. */
  readonly seed?: number;
  /** An aborted run ends after the step in hand with status `aborted`; it does not throw. */
  readonly signal?: AbortSignalLike;
  readonly resumeFrom?: Checkpoint<State>;
  readonly clock?: Clock;
}

/** The part of the platform's AbortSignal that the loop reads. */
export interface AbortSignalLike {
  readonly aborted: boolean;
}

/** How far a run came that did not fail. */
export interface RunSummary<State extends Json> extends Progress {
  readonly status: 'completed' | 'aborted';
  readonly stoppedBy: StoppedBy;
  readonly totals: TimeTotals;
  readonly validation: Evaluation | undefined;
  readonly checkpoint: Checkpoint<State>;
}
