import type { MeteredBackend } from './meters.ts';
import type { Awaitable } from './trial.ts';

/** A number that may still be on the device. */
export interface DeferredNumber {
  read(): Promise<number>;
  dispose(): void;
}

/** The part of a backend that a trial uses; each `Backend` of @batchwise/core fits. */
export interface ProbedBackend<Batch, Gradient> extends MeteredBackend {
  sizeOf(batch: Batch): number;
  split(batch: Batch, microBatchSize: number): readonly Batch[];
  gradient(batch: Batch): Awaitable<{ readonly gradient: Gradient; readonly loss: DeferredNumber }>;
  accumulate(total: Gradient | undefined, part: Gradient, weight: number): Gradient;
  dot(a: Gradient, b: Gradient): DeferredNumber;
  apply(gradient: Gradient, learningRateScale: number): Awaitable<void>;
  evaluate(batch: Batch): Awaitable<{
    readonly loss: DeferredNumber;
    readonly metrics: Readonly<Record<string, DeferredNumber>>;
  }>;
  confirm?(): Awaitable<void>;
  settle(): Awaitable<void>;
  /** `outOfMemory`, `deviceLost`, or anything else for a failure that a smaller batch does not cure. */
  classify(error: unknown): string;
  revive?(cause: unknown): Awaitable<void>;
  release(...gradients: readonly Gradient[]): void;
}

/** The part of a source that a trial uses; each `BatchSource` of @batchwise/core fits. */
export interface ProbedSource<Batch> {
  epoch(index: number): { take(count: number): Awaitable<Batch | undefined> };
}
