import { createRequire } from 'node:module';
import type { NativeLocation } from './installation.ts';

/** What TensorFlow's allocator of one device says, bytes. That of the CPU, `mklcpu`, counts blocks above 256 KiB only. */
export interface AllocatorStatistics {
  /** Its name: `GPU_0_bfc`, `mklcpu`. */
  readonly allocator: string;
  readonly currentBytes: number;
  /** The most that was in use since the process began or the last `resetPeak`. */
  readonly peakBytes: number;
  /** Missing where the allocator has none. */
  readonly limitBytes?: number;
}

/** Reads the allocators of the TensorFlow that is loaded. Devices are named `CPU:0`, `GPU:0`. */
export interface AllocatorReader {
  /**
   * The statistics of a device; undefined where its allocator keeps none (the CPU without oneDNN).
   * @throws RangeError when TensorFlow has no such device
   */
  read(device: string): AllocatorStatistics | undefined;
  /**
   * Sets the peak to what is in use now; false where the allocator cannot.
   * @throws RangeError when TensorFlow has no such device
   */
  resetPeak(device: string): boolean;
}

interface Addon {
  read(device: string): AllocatorStatistics | null;
  resetPeak(device: string): boolean;
}

const fullName = (device: string): string => `/job:localhost/replica:0/task:0/device:${device}`;

/**
 * TensorFlow's own memory statistics, as `tf.config.experimental.get_memory_info` gives them in Python. One read takes
 * microseconds.
 * @param location the setup whose TensorFlow this process has loaded or will load
 * @returns undefined where the setup has no such reader: its TensorFlow came without the headers for it
 */
export function allocatorStatistics({ allocatorAddon }: NativeLocation): AllocatorReader | undefined {
  if (allocatorAddon === undefined) return undefined;
  const addon = createRequire(import.meta.url)(allocatorAddon) as Addon;
  return {
    read: (device) => addon.read(fullName(device)) ?? undefined,
    resetPeak: (device) => addon.resetPeak(fullName(device)),
  };
}
