import type { Json } from './json.ts';
import type { GradientMoments, MemoryReading } from './measurements.ts';

/** How one optimizer update is assembled. */
export interface BatchPlan {
  /** Examples per optimizer update. */
  readonly batchSize: number;
  /** Examples on the device at once; below `batchSize` the gradients of several micro-batches are averaged. */
  readonly microBatchSize: number;
  /** Factor on the configured learning rate; 1 is "as configured". */
  readonly learningRateScale: number;
  /** Factor on 1 − β of the optimizer's running averages (see `Backend.apply`); absent is 1. */
  readonly momentDecayScale?: number;
}

/** What a controller may ask the loop to measure in the coming step. */
export type Measurement = 'loss' | 'seconds' | 'gradient' | 'memory';

/** An update that was applied. Fields that were not asked for are absent. */
export interface AppliedStep {
  readonly kind: 'applied';
  readonly plan: BatchPlan;
  /** Examples in this update: `plan.batchSize`, or fewer where the epoch or the budget ended. */
  readonly examples: number;
  /** Most examples that were on the device at once; a measured or a short step has fewer than planned. */
  readonly microBatchSize: number;
  /** Examples applied in the run so far, this step included. */
  readonly totalExamples: number;
  /** True when the step before ran the same plan; a cold step also pays for compilation and new buffers. */
  readonly warm: boolean;
  /** Mean loss over the examples of the step, before the update. */
  readonly loss?: number;
  /** Wall time of the whole step in seconds, data preparation included. */
  readonly seconds?: number;
  readonly gradient?: GradientMoments;
  readonly memory?: MemoryReading;
}

/**
 * An expected failure. Nothing was applied and the examples are still in hand. A lost device is no matter of batches:
 * the loop has the backend revive it and tries the same plan again, without asking the controller.
 */
export interface FailedStep {
  readonly kind: 'outOfMemory' | 'nonFinite' | 'deviceLost';
  readonly plan: BatchPlan;
  /** Examples that were on the device when it failed; a measured or a short step has fewer than planned. */
  readonly microBatchSize: number;
  readonly cause: unknown;
}

/** Why a plan is what it is. */
export interface Reason {
  /** Stable and machine-readable, in kebab-case: `start`, `steady`, `goodput`, `out-of-memory`, … */
  readonly code: string;
  /** One sentence for a person who has not read the code. */
  readonly text: string;
  /** The numbers that the rule saw, each finite; a quantity's name carries its unit. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** What a decision rests on, for the wrappers around it. */
export interface Evidence {
  /** Gradient noise scale B_simple as it is believed to be, in examples. */
  readonly noiseScale?: number;
  /**
   * The batch of Adam's second-moment estimate: the harmonic mean of those in its moving average, in examples. Absent before
   * the first step, and for other optimizers.
   */
  readonly rememberedBatchSize?: number;
  /** Standard error of ln `batchSize`. */
  readonly logBatchSizeError?: number;
}

/**
 * What is to be done with copies of the weights before the coming step: `take` one beside the one that is kept, `keep` the one that was
 * taken last in its place, or `restore` the one that is kept. Weights that a copy is taken of may be ruined already, which
 * only later losses tell.
 */
export type SnapshotWish = 'take' | 'keep' | 'restore';

/** A controller's answer: the plan of the coming step, why, and what to measure on the way. */
export interface Decision<State extends Json> {
  readonly plan: BatchPlan;
  readonly reason: Reason;
  /** An empty list costs nothing. `gradient` splits the step in at least two micro-batches. */
  readonly measure: readonly Measurement[];
  readonly state: State;
  /** Set where the size must be run as it is (exploration, recovery): damping wrappers let it pass. */
  readonly firm?: boolean;
  readonly evidence?: Evidence;
  readonly snapshot?: SnapshotWish;
  /**
   * After so many further ordinary steps (warm, whole, with nothing measured but loss and time) the decision will be
   * this one, whatever they take or lose. Absent is 0. For wrappers that ask less often than at each step.
   */
  readonly standsFor?: number;
}

/** What to do after a failed step: try the same examples again, or end the run with a message. */
export type Recovery<State extends Json> =
  | { readonly kind: 'retry'; readonly decision: Decision<State> }
  | { readonly kind: 'giveUp'; readonly message: string };

/** What is known of the run before its first step. */
export interface RunInfo {
  /** Examples per epoch; undefined for a stream. */
  readonly datasetSize: number | undefined;
  /** Examples that the run will train on at most; undefined where only time or a target ends it. */
  readonly plannedExamples: number | undefined;
  readonly seed: number;
  /** The optimizer's, where it has one. */
  readonly secondMoment?: SecondMoment | undefined;
}

/** The moving average of squared gradients that Adam divides by the root of. */
export interface SecondMoment {
  /** β2: what an update leaves of it. */
  readonly decay: number;
  /** Updates that are in it already, of batches of any size. */
  readonly updates: number;
}

/**
 * Socket 1: decides the batch. Pure: the same arguments give the same answer, and all memory is in `State`, which
 * survives JSON. `@batchwise/testing` checks both.
 */
export interface BatchController<State extends Json> {
  readonly name: string;
  /** All that it may ever ask to be measured; a backend that cannot is refused before the first step. */
  readonly measures: readonly Measurement[];
  /** Set where it may ask for weights to be restored; the loop then takes the first copy before the first step. */
  readonly restores?: boolean;
  /** The first plan. */
  start(run: RunInfo): Decision<State>;
  /** Asked once after each applied step. */
  next(step: AppliedStep, state: State): Decision<State>;
  /**
   * For wrappers, in place of `next` while the last decision stands (`standsFor`): the state alone, as `next` with one step
   * after the other leaves it. `steps` are in their order, and one or more. Absent where that saves nothing.
   */
  observe?(steps: readonly AppliedStep[], state: State): State;
  /** Asked once after each failed step, a lost device apart; a retry gets the same examples. */
  recover(step: FailedStep, state: State): Recovery<State>;
}
