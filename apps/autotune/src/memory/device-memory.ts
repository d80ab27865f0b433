import type { Engine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { allocatorMeter, type MemoryMeter } from '@batchwise/memory-probe';
import { allocatorStatistics, nativeLocation, type AllocatorReader } from '@batchwise/native';

/** The memory of a GPU by who hands it out. */
export interface DeviceMemory {
  readonly meter: MemoryMeter | undefined;
  /** All that it hands out; null where it does not tell. */
  readonly limitBytes: number | null;
}

const DEVICE = 'GPU:0';
const UNKNOWN: DeviceMemory = { meter: undefined, limitBytes: null };

const installedReader = (): AllocatorReader | undefined => {
  const location = nativeLocation(cacheDirectory(), 'gpu');
  return location && allocatorStatistics(location);
};

/**
 * TensorFlow's own statistics of its GPU, where the setup has the addon that reads them. On the processor a step is
 * bounded by the memory of the machine: there the tensors are counted, and small blocks, which TensorFlow's allocator
 * leaves out, with them.
 */
export function deviceMemory(
  { name }: Pick<Engine, 'name'>,
  readerOf: () => AllocatorReader | undefined = installedReader,
): DeviceMemory {
  const reader = name === 'cuda' ? readerOf() : undefined;
  if (!reader) return UNKNOWN;
  return { meter: allocatorMeter(reader, DEVICE), limitBytes: reader.read(DEVICE)?.limitBytes ?? null };
}
