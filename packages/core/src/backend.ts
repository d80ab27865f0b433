import type { FailedStep, Measurement, SecondMoment } from './controller.ts';
import type { Awaitable } from './json.ts';
import type { Deferred, MemoryReading } from './measurements.ts';

/** Mean gradient of a micro-batch, owned by the caller, and its mean loss. */
export interface MicroBatchGradient<Gradient> {
  readonly gradient: Gradient;
  readonly loss: Deferred;
  /** The loss of each example, in their order and without importance weights; only where it was asked for. */
  readonly exampleLosses?: Deferred<ArrayLike<number>>;
}

/** What a backend may be able to measure: what controllers ask for, and what sources do. */
export type Ability = Measurement | 'exampleLosses';

/** Means over one evaluated batch. */
export interface BatchEvaluation {
  readonly loss: Deferred;
  /** By the names that the model gives them. */
  readonly metrics: Readonly<Record<string, Deferred>>;
}

/** Two parts of a batch as one. */
export interface MergedGradient<Gradient> {
  /** Owned by the caller. */
  readonly total: Gradient;
  /** g₁·g₁, g₂·g₂ and g₁·g₂. */
  readonly products: Deferred<ArrayLike<number>>;
}

/** A copy of all that training changes: weights, running statistics, the optimizer's memory. */
export interface BackendSnapshot {
  /** Puts all of it back; the copy stays. */
  restore(): Awaitable<void>;
  /** Frees the copy; safe to call twice. */
  dispose(): void;
}

/**
 * Socket 3: touches the device. It holds the model, its loss and its optimizer. A method that throws leaves nothing
 * behind on the device. `@batchwise/testing` has the contract as a suite.
 */
export interface Backend<Batch, Gradient> {
  readonly name: string;
  /** What it is able to measure; a controller or a source that asks for more is refused before the first step. */
  readonly can: ReadonlySet<Ability>;
  /** Examples in a batch. */
  sizeOf(batch: Batch): number;
  /** Consecutive parts of `microBatchSize` examples, the last one smaller where it does not divide. */
  split(batch: Batch, microBatchSize: number): readonly Batch[];
  /**
   * Loss and mean gradient of a micro-batch at the present weights; the weights stay as they are. Where a batch has
   * importance weights w, both are means of w · loss over its examples.
   */
  gradient(batch: Batch, ask?: { readonly exampleLosses: boolean }): Awaitable<MicroBatchGradient<Gradient>>;
  /** `total + weight · part`, or `weight · part` where there is no total yet. Takes both over. */
  accumulate(total: Gradient | undefined, part: Gradient, weight: number): Gradient;
  /** Σ over all parameters of a · b. */
  dot(a: Gradient, b: Gradient): Deferred;
  /**
   * `weights[0] · g₁ + weights[1] · g₂` and what `dot` says of the two, in one piece of work: most measured steps have two
   * parts, and ask for nothing else. Takes both over. Without it they are asked for one by one.
   */
  merge?(parts: readonly [Gradient, Gradient], weights: readonly [number, number]): MergedGradient<Gradient>;
  /**
   * One optimizer update at `learningRateScale` times the configured learning rate. The gradient stays the caller's.
   * Where the optimizer is Adam or RMSProp, its averages are to forget faster by `momentDecayScale` κ (1 where it is not
   * given): 1 − β' = κ (1 − β) and ε' = ε/√κ (ε/κ where it stands under the root), for this update alone; other optimizers
   * do nothing with it.
   */
  apply(gradient: Gradient, learningRateScale: number, momentDecayScale?: number): Awaitable<void>;
  /**
   * Gradient of the terms of the loss that are the same for every example (weight penalties) at the present weights,
   * owned by the caller; undefined where there are none. A backend whose `gradient` includes such terms should have it:
   * a measured step needs it to tell them from the examples' own gradients.
   */
  penaltyGradient?(): Awaitable<Gradient | undefined>;
  /** What the optimizer's second-moment estimate is like before the run; undefined where it has none that lasts. */
  secondMoment?(): SecondMoment | undefined;
  /** A copy that outlives updates; a controller that `restores` needs it. Throws leave nothing behind. */
  snapshot?(): Awaitable<BackendSnapshot>;
  /** Loss and metrics without training. */
  evaluate(batch: Batch): Awaitable<BatchEvaluation>;
  /**
   * Resolves once all that was asked for is known to have worked, and throws where it did not; called before each update.
   * For engines that fail late and silently.
   */
  confirm?(): Awaitable<void>;
  /** Resolves once the device has done all that was asked of it; without it a step cannot be timed. */
  settle(): Awaitable<void>;
  memory(): MemoryReading;
  /** The one place where an error of the device is recognised. */
  classify(error: unknown): FailedStep['kind'] | 'other';
  /**
   * Called after an error that `classify` takes for `deviceLost`: gets a new device and takes the model and its optimizer
   * back to where they were last kept. Throws where that is not to be had.
   */
  revive?(cause: unknown): Awaitable<void>;
  /** Frees gradients; safe to call twice. */
  release(...gradients: readonly Gradient[]): void;
  /** Called once at the end of each run, whatever happened: gives the optimizer its own learning rate back. */
  endRun(): Awaitable<void>;
}
