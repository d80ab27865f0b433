import type {
  Ability,
  Backend,
  BackendSnapshot,
  BatchEvaluation,
  Deferred,
  FailedStep,
} from '@batchwise/core';
import type { FakeClock } from './fake-clock.ts';

/** A gradient of the quadratic model; it knows whether it was freed. */
export interface ScalarGradient {
  readonly value: number;
  freed: boolean;
}

/** The model, and the device that it pretends to run on. */
export interface QuadraticOptions {
  /** Initial weight. Default 0. */
  readonly weight?: number;
  /** Default 0.1. */
  readonly learningRate?: number;
  /** λ of a penalty λw²/2 on the weight, a part of each loss. Default 0. */
  readonly penalty?: number;
  /** A micro-batch above this is out of memory. Default: none. */
  readonly memoryLimit?: number;
  /** Moves on for each gradient by `fixedSeconds + secondsPerExample · examples`. */
  readonly clock?: FakeClock;
  readonly fixedSeconds?: number;
  readonly secondsPerExample?: number;
}

/**
 * A backend small enough to be followed by hand, in plain JavaScript: one weight w, a loss of (w − x)²/2 per example
 * x, so a gradient of w − x, and plain gradient descent. It counts what it hands out and what comes back.
 */
export class QuadraticBackend implements Backend<readonly number[], ScalarGradient> {
  readonly name = 'quadratic';
  can: ReadonlySet<Ability> = new Set<Ability>(['loss', 'seconds', 'gradient', 'memory', 'exampleLosses']);
  weight: number;
  /** Learning-rate scales in the order in which they were applied. */
  readonly appliedScales: number[] = [];
  /** Sizes of all micro-batches whose gradient was asked for, failures included. */
  readonly microBatchSizes: number[] = [];
  /** Gradients and deferred numbers handed out and not yet freed. */
  live = 0;
  runsEnded = 0;
  readonly #options: QuadraticOptions;

  constructor(options: QuadraticOptions = {}) {
    this.#options = options;
    this.weight = options.weight ?? 0;
  }

  sizeOf(batch: readonly number[]): number {
    return batch.length;
  }

  split(batch: readonly number[], microBatchSize: number): (readonly number[])[] {
    const parts = [];
    for (let at = 0; at < batch.length; at += microBatchSize)
      parts.push(batch.slice(at, at + microBatchSize));
    return parts;
  }

  gradient(batch: readonly number[], { exampleLosses } = { exampleLosses: false }) {
    const { memoryLimit = Infinity, clock, fixedSeconds = 0, secondsPerExample = 0 } = this.#options;
    this.microBatchSizes.push(batch.length);
    if (batch.length > memoryLimit) throw new Error(`out of memory at ${batch.length}`);
    clock?.advance(fixedSeconds + secondsPerExample * batch.length);
    const penalty = this.#options.penalty ?? 0;
    const lossOf = (x: number): number => (this.weight - x) ** 2 / 2;
    return {
      gradient: this.#handOut(meanOf(batch, (x) => this.weight - x) + penalty * this.weight),
      loss: this.#deferred(meanOf(batch, lossOf) + (penalty * this.weight ** 2) / 2),
      ...(exampleLosses && { exampleLosses: this.#deferred(batch.map(lossOf)) }),
    };
  }

  accumulate(total: ScalarGradient | undefined, part: ScalarGradient, weight: number): ScalarGradient {
    const sum = this.#handOut((total?.value ?? 0) + weight * part.value);
    this.release(part, ...(total ? [total] : []));
    return sum;
  }

  dot(a: ScalarGradient, b: ScalarGradient): Deferred {
    return this.#deferred(a.value * b.value);
  }

  apply(gradient: ScalarGradient, learningRateScale: number): void {
    this.appliedScales.push(learningRateScale);
    this.weight -= (this.#options.learningRate ?? 0.1) * learningRateScale * gradient.value;
  }

  penaltyGradient(): ScalarGradient | undefined {
    const { penalty = 0 } = this.#options;
    return penalty === 0 ? undefined : this.#handOut(penalty * this.weight);
  }

  snapshot(): BackendSnapshot {
    const { weight } = this;
    const copy = this.#handOut(weight);
    return { restore: () => void (this.weight = weight), dispose: () => this.release(copy) };
  }

  evaluate(batch: readonly number[]): BatchEvaluation {
    const distance = this.#deferred(meanOf(batch, (x) => Math.abs(this.weight - x)));
    return { loss: this.#deferred(meanOf(batch, (x) => (this.weight - x) ** 2 / 2)), metrics: { distance } };
  }

  settle(): void {}

  memory() {
    return { bytesInUse: this.live, peakBytes: this.live, source: 'fake' };
  }

  classify(error: unknown): FailedStep['kind'] | 'other' {
    return error instanceof Error && error.message.startsWith('out of memory') ? 'outOfMemory' : 'other';
  }

  release(...gradients: readonly ScalarGradient[]): void {
    for (const gradient of gradients) {
      if (gradient.freed) continue;
      gradient.freed = true;
      this.live -= 1;
    }
  }

  endRun(): void {
    this.runsEnded += 1;
  }

  #handOut(value: number): ScalarGradient {
    this.live += 1;
    return { value, freed: false };
  }

  #deferred<Value>(value: Value): Deferred<Value> {
    let open = true;
    this.live += 1;
    const close = (): void => {
      if (open) this.live -= 1;
      open = false;
    };
    return {
      dispose: close,
      read: () => {
        close();
        return Promise.resolve(value);
      },
    };
  }
}

function meanOf(values: readonly number[], of: (value: number) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0) / values.length;
}
