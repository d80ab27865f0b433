import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findCeiling, type TrialOutcome } from '@batchwise/memory-probe';
import { isolatedTrial } from '@batchwise/memory-probe/node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WHY_NO_NATIVE } from '../native/native-tensorflow.ts';
import { requireBuild } from '../support/repository.ts';

beforeAll(requireBuild);

const MIB = 2 ** 20;
const modulePath = fileURLToPath(new URL('serve-trial.mjs', import.meta.url));
const hasNative = WHY_NO_NATIVE === undefined;

/** A control group of version 1 or 2 with 400 MiB, where this process may make one. */
const controlGroup = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup']
  .map((root) => `${root}/batchwise-ceilings-${process.pid}`)
  .find((folder, version) => {
    try {
      mkdirSync(folder);
      afterAll(() => rmdirSync(folder));
      writeFileSync(`${folder}/${version === 0 ? 'memory.limit_in_bytes' : 'memory.max'}`, `${400 * MIB}`);
      return true;
    } catch {
      return false;
    }
  });

/**
 * Engines with a hard limit, each trial in a process of its own. `tooBig` is a size far above it, `leastShare` how much
 * of the limit a ceiling must take: less where an allocator in pieces may refuse what it has given another time.
 */
const engines = [
  {
    // Its heap grows by 5 % at least: the last 5 % are not sure to be had.
    name: 'wasm with a heap of 64 MiB',
    budgetBytes: (64 * MIB) / 1.05,
    tooBig: 2000,
    leastShare: 0.75,
    isHere: true,
    start: { args: ['wasm'], execArgv: [`--wasm-max-mem-pages=${(64 * MIB) / 65_536}`] },
  },
  {
    name: 'native with an allocator of 128 MiB, that of GPUs',
    budgetBytes: 128 * MIB,
    tooBig: 4000,
    leastShare: 0.5,
    isHere: hasNative,
    start: {
      args: ['native'],
      execArgv: [],
      env: {
        ...process.env,
        TF_ENABLE_ONEDNN_OPTS: '0',
        TF_CPU_ALLOCATOR_USE_BFC: '1',
        TF_CPU_BFC_MEM_LIMIT_IN_MB: '128',
      },
    },
  },
  {
    name: 'native with TF_MKL_ALLOC_MAX_BYTES at 400 MB',
    budgetBytes: 400e6,
    tooBig: 8000,
    leastShare: 0.75,
    isHere: hasNative,
    start: {
      args: ['native'],
      execArgv: [],
      env: { ...process.env, TF_ENABLE_ONEDNN_OPTS: '1', TF_MKL_ALLOC_MAX_BYTES: '400000000' },
    },
  },
  {
    name: 'native in a control group of 400 MiB',
    budgetBytes: 400 * MIB,
    tooBig: 20_000,
    // A size that fits is found; how near the limit differs from run to run, by what the system counts as the process's.
    leastShare: 0.6,
    isHere: hasNative && controlGroup !== undefined,
    start: {
      args: ['native', 'resident'],
      execArgv: [],
      env: { ...process.env, TF_ENABLE_ONEDNN_OPTS: '0' },
      ...(controlGroup !== undefined && { controlGroup }),
    },
  },
].filter(({ isHere }) => isHere);

// Side by side: TensorFlow waits for ten seconds before it says that memory is full.
it.concurrent.each(engines)(
  'on $name a ceiling is found that trained right, and what failed did for memory, as does a size far above',
  async ({ budgetBytes, tooBig, leastShare, start }) => {
    const trial = isolatedTrial({ modulePath, timeoutSeconds: 100, ...start });
    const ceiling = await findCeiling(trial, { budgetBytes });
    const fitting = ceiling.trials.filter(({ verdict }) => verdict === 'fits');
    // They are not counted: an allocator in pieces refuses at one time what it had given at another.
    const others = ceiling.trials.filter(({ verdict }) => verdict !== 'fits');
    expect(others.map(({ verdict, limit }) => [verdict, limit])).toEqual(
      others.map(() => ['tooBig', 'memory']),
    );
    expect(fitting.map(({ batchSize }) => batchSize)).toContain(ceiling.batchSize);
    for (const { canaryDeviation } of fitting) expect(canaryDeviation).toBeLessThan(1e-4);
    const largest = Math.max(...fitting.map(({ peak }) => peak?.peakBytes ?? 0));
    expect(largest).toBeGreaterThan(leastShare * budgetBytes);
    expect(largest).toBeLessThanOrEqual(budgetBytes);

    const outcome: TrialOutcome = await trial({
      batchSize: tooBig,
      referenceSize: null,
      predictedPeakBytes: null,
      signal: undefined,
    });
    expect(outcome).toMatchObject({ kind: 'tooBig', limit: 'memory' });
  },
);
