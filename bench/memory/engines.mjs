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
  // Its heap grows by 5 % at least: of the last 5 % of what it may take it gets some, and 3 are left for that.
  wasm: {
    budgetBytes: 0.97 * 512 * MIB,
    execArgv: [`--wasm-max-mem-pages=${(512 * MIB) / 65_536}`],
    load: () => loadEngine('wasm'),
  },
  // TensorFlow in a container: all of the process counts, and the kernel kills it.
  container: {
    budgetBytes: 768 * MIB,
    // Blocks from 32 KiB on are given back at once: else glibc keeps what an LSTM frees, and raises the size as it goes on.
    env: { TF_ENABLE_ONEDNN_OPTS: '0', MALLOC_MMAP_THRESHOLD_: '32768' },
    isolation: () => {
      const folder = controlGroup(768 * MIB);
      return folder && { controlGroup: folder };
    },
    load: loadNative,
    meter: residentMeter,
  },
};
