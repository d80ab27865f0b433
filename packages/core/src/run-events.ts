import type { AppliedStep, BatchPlan, FailedStep, Reason, RunInfo } from './controller.ts';
import type { Awaitable } from './json.ts';
import type { MemoryReading } from './measurements.ts';

/*
 * The loop, with each event where it is sent:
 *
 *   runStarted
 *   for each epoch
 *     for each batch of plan.batchSize examples
 *       try the step                       -> stepFailed, then the controller recovers (or the backend, a lost device)
 *                                             and the same examples are tried again, or the run ends
 *       apply it                           -> stepFinished
 *       ask the controller                 -> planChanged when the batch or micro-batch size is new, or when a size
 *                                             that was being tried out turns out to be the one to keep
 *       validate when enough examples came -> validated
 *     epochFinished
 *   runFinished (always, also after an abort or an error)
 */

/** Means over the validation examples. */
export interface Evaluation {
  readonly examples: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Where the run stands. Examples are the unit of progress; steps depend on the batch size. */
export interface Progress {
  readonly step: number;
  readonly epoch: number;
  readonly examples: number;
}

/** Where the wall time of a run went, in seconds. */
export interface TimeTotals {
  /** From start to end, observers included. */
  readonly seconds: number;
  /** Steps, less what tuning added to them. */
  readonly trainingSeconds: number;
  /** What measuring, first-use costs of new sizes and deciding added; estimated as `TimeLedger` says. */
  readonly tuningSeconds: number;
  readonly evaluationSeconds: number;
}

/** Which of the rules ended the run; `abort` is the signal, `error` what was thrown. */
export type StoppedBy = 'epochs' | 'examples' | 'seconds' | 'target' | 'abort' | 'error';

/** An event exists because it is listed here, and only then. */
export interface RunEvents {
  runStarted: { readonly run: RunInfo; readonly plan: BatchPlan; readonly reason: Reason };
  stepFailed: Progress & { readonly outcome: FailedStep };
  stepFinished: Progress & {
    readonly outcome: AppliedStep;
    /** The whole factor on the learning rate: plan, schedule and short-batch share. */
    readonly learningRateScale: number;
  };
  planChanged: Progress & { readonly from: BatchPlan; readonly to: BatchPlan; readonly reason: Reason };
  validated: Progress & { readonly result: Evaluation; readonly seconds: number };
  epochFinished: Progress & {
    /** False where the run ended in the middle of the epoch. */
    readonly complete: boolean;
    /** Of this epoch alone, since the start or the resumption. */
    readonly epochExamples: number;
    readonly epochSteps: number;
    /** Wall time of the epoch without evaluation. */
    readonly seconds: number;
    /**
     * Mean over the examples of the epoch, each at the weights it was trained at; NaN where the epoch was too short to
     * train, or a lost device took all losses with it.
     */
    readonly trainLoss: number;
    /** The latest validation of this epoch, if there was one. */
    readonly validation: Evaluation | undefined;
  };
  runFinished: Progress & {
    readonly status: 'completed' | 'aborted' | 'failed';
    readonly stoppedBy: StoppedBy;
    readonly totals: TimeTotals;
    readonly memory: MemoryReading | undefined;
    readonly error?: unknown;
  };
}

/** Socket 4: watches. It returns nothing and gets read-only events, so it cannot change the training. */
export type Observer = { readonly name: string } & {
  readonly [Event in keyof RunEvents as `on${Capitalize<Event>}`]?: (
    event: RunEvents[Event],
  ) => Awaitable<void>;
};
