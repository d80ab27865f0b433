import type { FailedStep, Measurement } from './controller.ts';
import type { Awaitable } from './json.ts';
import type { Deferred, MemoryReading } from './measurements.ts';

/** Mean gradient of a micro-batch, owned by the caller, and its mean loss. */
export interface MicroBatchGradient<Gradient> {
  readonly gradient: Gradient;
  readonly loss: Deferred;
}

/** Means over one evaluated batch. */
export interface BatchEvaluation {
  readonly loss: Deferred;
  /** By the names that the model gives them. */
  readonly metrics: Readonly<Record<string, Deferred>>;
}

/**
 * Socket 3: touches the device. It holds the model, its loss and its optimizer. A method that throws leaves nothing
 * behind on the device. `@batchwise/testing` has the contract as a suite.
 */
export interface Backend<Batch, Gradient> {
  readonly name: string;
  /** What it is able to measure; a controller that asks for more is refused before the first step. */
  readonly can: ReadonlySet<Measurement>;
  /** Examples in a batch. */
  sizeOf(batch: Batch): number;
  /** Consecutive parts of `microBatchSize` examples, the last one smaller where it does not divide. */
  split(batch: Batch, microBatchSize: number): readonly Batch[];
  /** Loss and mean gradient of a micro-batch at the present weights; the weights stay as they are. */
  gradient(batch: Batch): Awaitable<MicroBatchGradient<Gradient>>;
  /** `total + weight · part`, or `weight · part` where there is no total yet. Takes both over. */
  accumulate(total: Gradient | undefined, part: Gradient, weight: number): Gradient;
  /** Σ over all parameters of a · b. */
  dot(a: Gradient, b: Gradient): Deferred;
  /** One optimizer update at `learningRateScale` times the configured learning rate. The gradient stays the caller's. */
  apply(gradient: Gradient, learningRateScale: number): Awaitable<void>;
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
