import type { Certainty } from './reading.ts';
import type { Awaitable } from './trial.ts';

/** Memory in use and its peak, by whoever counts it. */
export interface MemoryMeter {
  /** Who says so. */
  readonly source: string;
  readonly certainty: Certainty;
  /** Begins a new peak. */
  begin(): Awaitable<void>;
  /** Bytes in use now, and the most since `begin`; null where nothing is known at present. */
  read(): Awaitable<{ readonly bytesInUse: number; readonly peakBytes: number } | null>;
  /** Asked before a step: bytes in use that no step gives back or takes up, beside what training keeps. Absent is 0. */
  fixedBytes?(): Awaitable<number>;
}

/** TensorFlow's allocator statistics, as `allocatorStatistics` of @batchwise/native gives them. */
export interface AllocatorReader {
  read(
    device: string,
  ): { readonly allocator: string; readonly currentBytes: number; readonly peakBytes: number } | undefined;
  resetPeak(device: string): boolean;
}

/**
 * Meters one device of native TensorFlow: what its allocator counts, which is what runs out. Whole chunks are counted,
 * which may be up to twice what was asked for while there is room, so readings scatter. `mklcpu`, that of the processor
 * with oneDNN, neither counts nor limits blocks below 256 KiB; `memoryTrial` of @batchwise/backend adds those of tensors.
 * @param device such as `GPU:0`
 * @returns undefined where the allocator keeps no statistics, or no peak of its own choosing
 */
export function allocatorMeter(reader: AllocatorReader, device: string): MemoryMeter | undefined {
  const statistics = reader.read(device);
  if (!statistics || !reader.resetPeak(device)) return undefined;
  return {
    source: `allocator ${statistics.allocator}`,
    certainty: 'upperBound',
    begin: () => void reader.resetPeak(device),
    read: () => {
      const now = reader.read(device);
      return now ? { bytesInUse: now.currentBytes, peakBytes: now.peakBytes } : null;
    },
  };
}

/** The part of a backend that tells its memory. */
export interface MeteredBackend {
  memory(): { readonly bytesInUse: number; readonly peakBytes: number; readonly source: string };
  /** Begins a new peak. Where it is missing, `endRun` does. */
  resetPeak?(): Awaitable<void>;
  /** Ends a run, and with it the peak. */
  endRun(): Awaitable<void>;
}

/** What the sources of @batchwise/backend count: all buffers of a GPU, or tensors, which are not all that is in use. */
const CERTAINTY: Readonly<Record<string, Certainty>> = { buffers: 'exact' };

/** Meters what a backend tracks itself. Each `begin` ends a run of the backend that can begin a new peak in no other way. */
export function backendMeter(backend: MeteredBackend): MemoryMeter {
  const { source } = backend.memory();
  return {
    source,
    certainty: CERTAINTY[source] ?? 'unknown',
    begin: () => (backend.resetPeak ? backend.resetPeak() : backend.endRun()),
    read: () => backend.memory(),
  };
}
