import type { GpuDevice } from './gpu.ts';

interface Buffer {
  readonly size: number;
  destroy(): void;
}

/** What is used of the manager of buffers in TensorFlow.js: it keeps freed ones by their exact size, and never lets go. */
interface BufferManager {
  readonly freeBuffers: ReadonlyMap<string, Buffer[]>;
  numFreeBuffers: number;
  numBytesUsed: number;
  numBytesAllocated: number;
  acquireBuffer(...args: unknown[]): Buffer;
}

/** What is used of the WebGPU backend of TensorFlow.js 4. */
export interface GpuBackend {
  readonly device: GpuDevice;
  readonly bufferManager: BufferManager;
  commandEncoder: unknown;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** Hands over to the device what TensorFlow.js has collected for it: it waits for 15 operations to be together. */
export function flush(backend: GpuBackend): void {
  if (!backend.commandEncoder) return;
  backend.endComputePassEncoder();
  backend.submitQueue();
}

/** The memory of a device, as TensorFlow.js takes it. */
export class GpuBuffers {
  readonly #backend: GpuBackend;
  /** Of the work run here since the run began, that on a device before included. */
  #peakBytes: number;

  constructor(backend: GpuBackend, peakBytes = 0) {
    this.#backend = backend;
    this.#peakBytes = peakBytes;
  }

  /** Freed buffers that are kept included: they take memory like others. */
  get bytesAllocated(): number {
    return this.#backend.bufferManager.numBytesAllocated;
  }

  get peakBytes(): number {
    return Math.max(this.#peakBytes, this.bytesAllocated);
  }

  get keepsFreed(): boolean {
    return this.#backend.bufferManager.numFreeBuffers > 0;
  }

  /** Runs `work` and watches how much it takes. */
  run<T>(work: () => T): T {
    const manager = this.#backend.bufferManager;
    const { acquireBuffer } = manager;
    manager.acquireBuffer = (...args) => {
      const buffer = acquireBuffer.apply(manager, args);
      this.#peakBytes = Math.max(this.#peakBytes, manager.numBytesAllocated);
      return buffer;
    };
    try {
      return work();
    } finally {
      manager.acquireBuffer = acquireBuffer;
    }
  }

  /** Gives the freed buffers back to the device. */
  async trim(): Promise<void> {
    const { device, bufferManager: manager } = this.#backend;
    flush(this.#backend);
    // The lists stay, emptied: the manager puts buffers back into them.
    for (const list of manager.freeBuffers.values())
      for (const buffer of list.splice(0)) {
        manager.numBytesAllocated -= buffer.size;
        buffer.destroy();
      }
    manager.numFreeBuffers = 0;
    // Dawn frees nothing before the next submission is through, even an empty one.
    device.queue.submit([device.createCommandEncoder().finish()]);
    await device.queue.onSubmittedWorkDone();
  }

  /** Begins a new peak, or goes back to one before. */
  resetPeak(peakBytes = 0): void {
    this.#peakBytes = peakBytes;
  }
}
