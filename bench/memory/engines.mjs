// Engines that have a hard limit, without a GPU.
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { allocatorMeter } from '@batchwise/memory-probe';
import { residentMeter } from '@batchwise/memory-probe/node';
import { allocatorStatistics, nativeLocation } from '@batchwise/native';

const MIB = 2 ** 20;
const location = () => nativeLocation(cacheDirectory(), 'cpu');
const loadNative = () => loadEngine('native', { nativePaths: [location()?.entry].filter(Boolean) });
const allocatorOfProcessor = () => allocatorMeter(allocatorStatistics(location()), 'CPU:0');

/** Version 1 and 2 of control groups: where they are, and the file with the limit of one. */
const CONTROL_GROUPS = [
  ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
  ['/sys/fs/cgroup', 'memory.max'],
];

/** A control group with so much memory, as containers have; undefined where this process may make none. */
function controlGroup(bytes) {
  for (const [root, limitFile] of CONTROL_GROUPS) {
    const folder = `${root}/batchwise-bench-${process.pid}`;
    try {
      mkdirSync(folder);
      process.once('exit', () => rmdirSync(folder));
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
      writeFileSync(`${folder}/${limitFile}`, `${bytes}`);
      return folder;
    } catch {
      continue;
    }
  }
  return undefined;
}

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
  // TensorFlow with oneDNN, whose allocator counts and limits blocks above 256 KiB.
  native: {
    budgetBytes: 400e6,
    env: { TF_ENABLE_ONEDNN_OPTS: '1', TF_MKL_ALLOC_MAX_BYTES: '400000000' },
    load: loadNative,
    meter: allocatorOfProcessor,
  },
  // The allocator of TensorFlow's GPUs, on the processor.
  'native-bfc': {
    budgetBytes: 400 * MIB,
    env: {
      TF_ENABLE_ONEDNN_OPTS: '0',
      TF_CPU_ALLOCATOR_USE_BFC: '1',
      TF_CPU_BFC_MEM_LIMIT_IN_MB: '400',
    },
    load: loadNative,
    meter: allocatorOfProcessor,
  },
  // Its heap grows by 5 % at least, so of the last 5 % of what it may take it is not sure that it gets them.
  wasm: {
    budgetBytes: (512 * MIB) / 1.05,
    execArgv: [`--wasm-max-mem-pages=${(512 * MIB) / 65_536}`],
    load: () => loadEngine('wasm'),
  },
  // TensorFlow in a container: all of the process counts, and the kernel kills it.
  container: {
    budgetBytes: 768 * MIB,
    // Otherwise glibc raises, as a process goes on, the size from which it gives blocks back at once.
    env: { TF_ENABLE_ONEDNN_OPTS: '0', MALLOC_MMAP_THRESHOLD_: '131072' },
    isolation: () => {
      const folder = controlGroup(768 * MIB);
      return folder && { controlGroup: folder };
    },
    load: loadNative,
    meter: residentMeter,
  },
};
