import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '@batchwise/data';
import { findCeiling, type TrialOutcome } from '@batchwise/memory-probe';
import { isolatedTrial } from '@batchwise/memory-probe/node';
import { nativeLocation } from '@batchwise/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireBuild } from '../support/repository.ts';

beforeAll(requireBuild);

const MIB = 2 ** 20;
const modulePath = fileURLToPath(new URL('serve-trial.mjs', import.meta.url));
const hasNative = nativeLocation(cacheDirectory(), 'cpu') !== undefined;

/** Engines with a hard limit, each trial in a process of its own. */
const engines = [
  {
    name: 'wasm',
    budgetBytes: 128 * MIB,
    start: { args: ['wasm'], execArgv: [`--wasm-max-mem-pages=${(128 * MIB) / 65_536}`] },
  },
  {
    name: 'native',
    budgetBytes: 128 * MIB,
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
].filter(({ name }) => name !== 'native' || hasNative);

describe.each(engines)('on $name with 128 MiB', ({ budgetBytes, start }) => {
  const trial = isolatedTrial({ modulePath, timeoutSeconds: 100, ...start });

  it('a ceiling is found that trained right, and what failed did for memory', async () => {
    const ceiling = await findCeiling(trial, { budgetBytes });
    const fitting = ceiling.trials.filter(({ verdict }) => verdict === 'fits');
    // An allocator in pieces refuses at one time what it had given at another; so do not count its refusals.
    const others = ceiling.trials.filter(({ verdict }) => verdict !== 'fits');
    expect(others.map(({ verdict, limit }) => [verdict, limit])).toEqual(
      others.map(() => ['tooBig', 'memory']),
    );
    expect(fitting.map(({ batchSize }) => batchSize)).toContain(ceiling.batchSize);
    for (const { canaryDeviation } of fitting) expect(canaryDeviation).toBeLessThan(1e-4);
    const largest = Math.max(...fitting.map(({ peak }) => peak?.peakBytes ?? 0));
    expect(largest).toBeGreaterThan(0.75 * budgetBytes);
    expect(largest).toBeLessThanOrEqual(budgetBytes);
  });

  it('a size far above is too big, and no other error', async () => {
    const outcome: TrialOutcome = await trial({
      batchSize: 4000,
      referenceSize: null,
      predictedPeakBytes: null,
      signal: undefined,
    });
    expect(outcome).toMatchObject({ kind: 'tooBig', limit: 'memory' });
  });
});
