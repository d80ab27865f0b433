import { TrainingError, type MemoryReading } from '@batchwise/core';
import { classifyError, type Verdict } from './classify.ts';
import { TensorWatch } from './tensor-watch.ts';
import type { Tensor, Tf } from './tf.ts';
import type { TrainingState } from './training-state.ts';

/** A piece of work on the device. */
export interface Task {
  readonly kind: 'gradient' | 'apply' | 'evaluate';
  /** In the batch; 0 for an update. */
  readonly examples: number;
}

/** What a keeper takes care of. */
export interface Kept {
  readonly tf: Tf;
  readonly state: TrainingState;
  /** Called when the training state was written from a copy: what others derived from it is stale. */
  onRestored(): void;
}

/** What differs from engine to engine, apart from speed: how it fails, what it holds, and when it is done. */
export interface EngineKeeper {
  /** Runs `work`, which must not wait. Where it fails, it throws and leaves nothing behind. */
  guard<T>(task: Task, work: () => T): Promise<T>;
  /** Runs `work` that cannot be waited for; a failure that the engine does not throw comes with `confirm`. */
  watch<T>(work: () => T): T;
  confirm(): Promise<void>;
  /** @throws TrainingError `deviceLost` where a tensor of the user's is gone with a device */
  refuseLost(tensor: Tensor): void;
  settle(): Promise<void>;
  memory(): MemoryReading;
  classify(error: unknown): Verdict;
  revive(cause: unknown): Promise<void>;
  endRun(): Promise<void>;
}

/** Engines whose operations are finished when the call returns. */
const SYNCHRONOUS = new Set(['cpu', 'wasm', 'tensorflow']);

/** For engines that say at once, by an exception, what did not work. */
export class PlainKeeper implements EngineKeeper {
  protected readonly name: string;
  protected readonly kept: Kept;
  protected readonly tensors: TensorWatch;

  constructor(kept: Kept) {
    this.name = kept.tf.getBackend();
    this.kept = kept;
    this.tensors = new TensorWatch(kept.tf);
  }

  // Async, so that what is thrown at once is rejected too.
  async guard<T>(_task: Task, work: () => T): Promise<T> {
    refuseOtherEngine(this.kept.tf, this.name);
    return this.tensors.run(work).value;
  }

  watch<T>(work: () => T): T {
    return work();
  }

  confirm(): Promise<void> {
    return Promise.resolve();
  }

  refuseLost(): void {}

  async settle(): Promise<void> {
    const [weight] = this.kept.state.weights;
    if (SYNCHRONOUS.has(this.name) || !weight) return;
    // Reading anything made of a weight waits for every update that was queued before.
    const fence = this.kept.tf.tidy(() => this.kept.tf.mean(weight));
    await fence.data();
    fence.dispose();
  }

  memory(): MemoryReading {
    return { bytesInUse: this.tensors.bytesInUse, peakBytes: this.tensors.peakBytes, source: 'engine' };
  }

  classify(error: unknown): Verdict {
    return classifyError(this.name, error);
  }

  revive(cause: unknown): Promise<void> {
    return Promise.reject(cause);
  }

  endRun(): Promise<void> {
    this.tensors.reset();
    return Promise.resolve();
  }
}

/** @throws TrainingError `invalidOptions` when TensorFlow.js was set to another engine in the meantime */
export function refuseOtherEngine(tf: Tf, name: string): void {
  const present = tf.getBackend();
  if (present === name) return;
  throw new TrainingError(
    'invalidOptions',
    `The model was made ready for engine "${name}", but TensorFlow.js is set to "${present}" now.`,
    {
      hint: `Train on one engine at a time: await tf.setBackend('${name}'), or make a new backend and model.`,
    },
  );
}
