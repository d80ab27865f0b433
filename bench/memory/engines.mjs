// Engines that have a hard limit, without a GPU.
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { allocatorMeter } from '@batchwise/memory-probe';
import { allocatorStatistics, nativeLocation } from '@batchwise/native';

const MIB = 2 ** 20;
const location = () => nativeLocation(cacheDirectory(), 'cpu');

/**
 * By name: how a process with the engine is started, what it may use, how the engine is loaded and metered, and whether it
 * computes at all (the null device of Dawn checks and counts like a GPU of 512 MiB, and computes nothing).
 */
export const ENGINES = {
  webgpu: {
    budgetBytes: 512 * MIB,
    canary: 'off',
    load: () => loadEngine('webgpu', { webgpu: { dawn: ['backend=null'] } }),
  },
  native: {
    budgetBytes: 400e6,
    env: { TF_MKL_ALLOC_MAX_BYTES: '400000000' },
    load: () => loadEngine('native', { nativePaths: [location()?.entry].filter(Boolean) }),
    meter: () => allocatorMeter(allocatorStatistics(location()), 'CPU:0'),
  },
  wasm: {
    budgetBytes: 512 * MIB,
    execArgv: [`--wasm-max-mem-pages=${(512 * MIB) / 65_536}`],
    load: () => loadEngine('wasm'),
  },
};
