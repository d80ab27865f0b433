import { TrainingError } from '@batchwise/core';
import type { Kept } from '../engine-keeper.ts';
import type { Tensor } from '../tf.ts';
import type { HostCopy } from '../training-state.ts';
import { openErrorScopes } from './error-scopes.ts';
import type { GpuBackend } from './gpu-buffers.ts';

/** Updates from one copy of the training state to the next: as many are lost with a device at most, and one more copy. */
const COPY_EVERY = 100;

/** As TensorFlow.js registers its own. */
const PRIORITY = 3;

/** The GPU is gone: its driver was reset or updated, the machine slept, or the browser took it away. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';

  constructor(lost: { readonly reason: string; readonly message: string }, cause?: unknown) {
    super(`The GPU device was lost (${[lost.reason, lost.message].filter(Boolean).join(': ')}).`, { cause });
  }
}

/**
 * A copy of the training state in host memory, renewed while training goes on, from which a lost device can be
 * replaced. Reading does not hold training up: the device copies when it is asked to, and hands over when it gets to it.
 */
export class Lifeline {
  readonly #kept: Kept;
  readonly #copyEvery: number;
  #copy: HostCopy | undefined;
  #reading: Promise<void> | undefined;
  #updates = 0;
  #copiedAt = 0;
  #revivedAt: number | undefined;

  constructor(kept: Kept, copyEvery = COPY_EVERY) {
    this.#kept = kept;
    this.#copyEvery = copyEvery;
  }

  /** Takes the first copy of a run. */
  async begin(): Promise<void> {
    if (!this.#copy) this.#copy = await this.#read();
  }

  countUpdate(): void {
    this.#updates += 1;
    if (this.#updates % this.#copyEvery === 0) this.#reading ??= this.#renew(this.#updates);
  }

  /** What has no room to be read into is a read that fails, and no error for others to see. */
  #read(): Promise<HostCopy> {
    const { tf, state } = this.#kept;
    const scopes = openErrorScopes((tf.backend() as unknown as GpuBackend).device);
    const copy = state.read();
    void scopes.close();
    return copy;
  }

  async #renew(updates: number): Promise<void> {
    try {
      this.#copy = await this.#read();
      this.#copiedAt = updates;
    } catch {
      // The copy before stays; if the device is lost, the next step will say so.
    }
    this.#reading = undefined;
  }

  /**
   * Opens a new device and takes the training state back to the copy.
   * @throws TrainingError `deviceLost` where there is no new device, or the last one did not last for an update
   */
  async revive(cause: unknown): Promise<void> {
    const { tf, state } = this.#kept;
    await this.#reading;
    if (!this.#copy || this.#revivedAt === this.#updates) throw this.#giveUp('', cause);
    (tf.backend() as unknown as GpuBackend).device.destroy();
    const name = tf.getBackend();
    const factory = tf.findBackendFactory(name);
    tf.removeBackend(name);
    tf.registerBackend(name, factory, PRIORITY);
    if (!(await tf.setBackend(name))) throw this.#giveUp('No new one could be opened.', cause);
    state.write(this.#copy);
    this.#kept.onRestored();
    this.#updates = this.#copiedAt;
    this.#revivedAt = this.#updates;
  }

  #giveUp(what: string, cause: unknown): TrainingError {
    return new TrainingError('deviceLost', `The GPU device was lost. ${what}`.trim(), {
      hint:
        'Go on from what was saved, in a new process or page; if it happens again, choose smaller batches, close what ' +
        'else uses the GPU, or take engine "wasm".',
      cause,
    });
  }

  /** @throws TrainingError `deviceLost` for a tensor that was on a device before this one */
  refuseLost(tensor: Tensor): void {
    const { tf } = this.#kept;
    const { state } = tf.engine() as unknown as TensorTable;
    const backend = state.tensorInfo.get(tensor.dataId)?.backend;
    if (backend === undefined || backend === tf.backend() || !('bufferManager' in backend)) return;
    throw new TrainingError('deviceLost', 'The examples were tensors on a GPU device that was lost.', {
      hint: 'Give them as arrays in host memory, which can be uploaded again, or make the tensors anew.',
    });
  }

  /** Ends with the run: afterwards the weights are the user's to change. */
  async end(): Promise<void> {
    await this.#reading;
    this.#copy = undefined;
    this.#revivedAt = undefined;
    this.#updates = 0;
    this.#copiedAt = 0;
  }
}

interface TensorTable {
  readonly state: { readonly tensorInfo: WeakMap<object, { readonly backend: object }> };
}
