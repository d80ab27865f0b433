import { TrainingError, type MemoryReading } from '@batchwise/core';
import { classifyError, type Verdict } from '../classify.ts';
import { refuseOtherEngine, type EngineKeeper, type Kept, type Task } from '../engine-keeper.ts';
import { TensorWatch } from '../tensor-watch.ts';
import type { Tensor } from '../tf.ts';
import type { Held } from '../training-state.ts';
import { DeviceLostError, Lifeline } from './lifeline.ts';
import { openErrorScopes, type GpuFailure } from './error-scopes.ts';
import { flush, GpuBuffers, type GpuBackend } from './gpu-buffers.ts';
import type { GpuDevice } from './gpu.ts';

const NAME = 'webgpu';

/** Sizes whose buffers are kept at the same time: that of a micro-batch, of the last one, and of a measured step. */
const SIZES_KEPT = 3;

/** One device and what is known of it. */
interface Attached {
  readonly backend: GpuBackend;
  readonly device: GpuDevice;
  readonly buffers: GpuBuffers;
  lost: { readonly reason: string; readonly message: string } | undefined;
}

/**
 * For WebGPU, on which TensorFlow.js fails silently: an operation that did not work leaves zeros or old values, and the
 * loss looks fine. So all work runs in error scopes and counts only once they were empty; what it may have written by
 * then is held on the device and taken back otherwise. See docs/decisions/0008.
 */
export class WebgpuKeeper implements EngineKeeper {
  readonly #kept: Kept;
  readonly #tensors: TensorWatch;
  readonly #lifeline: Lifeline;
  #attached: Attached | undefined;
  /** The kinds and sizes of work that ran last, the latest at the end. */
  #sizes: string[] = [];
  /** Scopes of work that could not be waited for. */
  #unconfirmed: Promise<GpuFailure | undefined>[] = [];

  constructor(kept: Kept) {
    this.#kept = kept;
    this.#tensors = new TensorWatch(kept.tf);
    this.#lifeline = new Lifeline(kept);
  }

  async guard<T>(task: Task, work: () => T): Promise<T> {
    refuseOtherEngine(this.#kept.tf, NAME);
    const { buffers } = this.#refuseLostDevice();
    if (task.kind === 'gradient') await this.#lifeline.begin();
    if (task.examples > 0) await this.#makeRoom(task);
    const { peakBytes } = buffers;
    for (;;) {
      const isCrowded = buffers.keepsFreed;
      try {
        return await this.#checked(task, work);
      } catch (error) {
        const verdict = this.classify(error);
        if (verdict === 'deviceLost') throw error;
        this.#unconfirmed = [];
        // A buffer that failed is freed like any other, and would fail whoever gets it next.
        await buffers.trim();
        // What did not fit was never in use.
        buffers.resetPeak(peakBytes);
        // Buffers that were kept for other sizes may have stood in the way, once.
        if (verdict === 'outOfMemory' && isCrowded) continue;
        throw verdict === 'outOfMemory' && task.kind === 'apply' ? tooLargeToUpdate(error) : error;
      }
    }
  }

  async #checked<T>({ kind }: Task, work: () => T): Promise<T> {
    const { state } = this.#kept;
    const held =
      kind === 'apply' ? state.holdAll() : kind === 'gradient' ? state.holdStatistics() : NOTHING_HELD;
    const { device, backend, buffers } = this.#device();
    const scopes = openErrorScopes(device);
    let done;
    let thrown: unknown;
    try {
      done = buffers.run(() => this.#tensors.run(work));
    } catch (error) {
      thrown = error;
    }
    flush(backend);
    const failure = await scopes.close();
    const error = this.#worst(thrown, failure);
    if (done && error === undefined) {
      held.release();
      if (kind === 'apply') this.#lifeline.countUpdate();
      return done.value;
    }
    done?.undo();
    held.restore();
    throw error;
  }

  watch<T>(work: () => T): T {
    const { device, backend, buffers } = this.#device();
    const scopes = openErrorScopes(device);
    try {
      return buffers.run(work);
    } finally {
      flush(backend);
      this.#unconfirmed.push(scopes.close());
    }
  }

  async confirm(): Promise<void> {
    const failures = await Promise.all(this.#unconfirmed.splice(0));
    const failure = failures.find((found) => found !== undefined);
    const { buffers } = this.#refuseLostDevice();
    if (!failure) return;
    await buffers.trim();
    throw failure;
  }

  refuseLost(tensor: Tensor): void {
    this.#lifeline.refuseLost(tensor);
  }

  async settle(): Promise<void> {
    const { device, backend, lost } = this.#device();
    if (lost) return;
    flush(backend);
    await device.queue.onSubmittedWorkDone();
  }

  memory(): MemoryReading {
    const { buffers } = this.#device();
    return { bytesInUse: buffers.bytesAllocated, peakBytes: buffers.peakBytes, source: 'buffers' };
  }

  classify(error: unknown): Verdict {
    return this.#attached?.lost ? 'deviceLost' : classifyError(NAME, error);
  }

  async revive(cause: unknown): Promise<void> {
    this.#unconfirmed = [];
    this.#sizes = [];
    await this.#lifeline.revive(cause);
    this.#device();
  }

  async endRun(): Promise<void> {
    this.#unconfirmed = [];
    this.#attached?.buffers.resetPeak();
    this.#tensors.reset();
    await this.#lifeline.end();
  }

  /** Buffers are kept by their exact size, so those of the size before are of no use to a new one. */
  async #makeRoom({ kind, examples }: Task): Promise<void> {
    const size = `${kind} ${examples}`;
    const isNew = !this.#sizes.includes(size);
    this.#sizes = [...this.#sizes.filter((known) => known !== size), size].slice(-SIZES_KEPT);
    if (isNew) await this.#device().buffers.trim();
  }

  /** What to report of an exception, of what WebGPU says, and of a device that is gone. */
  #worst(thrown: unknown, failure: GpuFailure | undefined): unknown {
    const { lost } = this.#device();
    if (lost) return new DeviceLostError(lost, thrown);
    if (failure && classifyError(NAME, failure) === 'outOfMemory') return failure;
    return thrown ?? failure;
  }

  #refuseLostDevice(): Attached {
    const attached = this.#device();
    if (attached.lost) throw new DeviceLostError(attached.lost);
    return attached;
  }

  /** The device that TensorFlow.js uses now; another one after a revival. */
  #device(): Attached {
    const backend = this.#kept.tf.backend() as unknown as GpuBackend;
    if (this.#attached?.backend !== backend) {
      const { device } = backend;
      const buffers = new GpuBuffers(backend, this.#attached?.buffers.peakBytes);
      const attached: Attached = { backend, device, buffers, lost: undefined };
      void device.lost.then((lost) => (attached.lost = lost));
      this.#attached = attached;
    }
    return this.#attached;
  }
}

/** No batch size would help, so this is no failure to recover from. */
const tooLargeToUpdate = (cause: unknown): TrainingError =>
  new TrainingError('outOfMemory', 'The update of the weights did not fit on the GPU; nothing was applied.', {
    hint:
      'Close what else uses the GPU, make the model smaller, or take an optimizer that keeps less per weight, such as ' +
      '"sgd".',
    cause,
  });

const NOTHING_HELD: Held = { release: () => {}, restore: () => {} };
