import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchwise, signalOnce, temporaryFolder, type Outcome } from '../cli/batchwise.ts';

const MINUTES = 60_000;
const WHY_NOT =
  'set BATCHWISE_NATIVE_TEST=1 to run it: it downloads 0.4 GB from the npm and Python registries and compiles for minutes';

const threeSteps = fileURLToPath(new URL('three-steps.mjs', import.meta.url));

interface Steps {
  readonly version: string;
  readonly losses: readonly number[];
  readonly memory: {
    readonly allocator: string;
    readonly currentBytes: number;
    readonly peakBytes: number;
  } | null;
}

/** Trains in a process of its own: TensorFlow.js for Node brings its own copy of TensorFlow.js. */
function trainThreeSteps(...args: string[]): Promise<Steps> {
  const child = spawn(process.execPath, [threeSteps, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const line = stdout.split('\n').find((text) => text.startsWith('{'));
      if (code === 0 && line) resolve(JSON.parse(line) as Steps);
      else reject(new Error(`three-steps.mjs ended with ${code}:\n${stdout}`));
    });
  });
}

describe('batchwise setup-native, for real', { timeout: 20 * MINUTES }, () => {
  const isOn = process.env['BATCHWISE_NATIVE_TEST'] === '1';
  let cacheDir: string;
  beforeAll(async () => {
    cacheDir = await temporaryFolder();
  });
  const setUp = async (kill?: NodeJS.Signals): Promise<Outcome & { seconds: number }> => {
    const start = performance.now();
    const outcome = await batchwise(['setup-native', '--from', 'pip'], {
      env: { BATCHWISE_CACHE_DIR: cacheDir },
      ...(kill && { onOutput: signalOnce(/Unpacking/, kill) }),
    });
    return { ...outcome, seconds: (performance.now() - start) / 1000 };
  };

  it('leaves nothing when it is interrupted, and a killed one does not stand in the way', async ({
    skip,
  }) => {
    skip(!isOn, WHY_NOT);
    const interrupted = await setUp('SIGINT');
    expect(interrupted).toMatchObject({ code: 130, stderr: '' });
    expect(interrupted.stdout).toContain('Interrupted. What was there before is as it was.');
    expect(await readdir(join(cacheDir, 'native'))).toEqual([]);
    expect((await setUp('SIGKILL')).code).toBe(null);
    expect(await readdir(join(cacheDir, 'native'))).toHaveLength(1);
  });

  it('builds, loads, and trains as the plain JavaScript engine does', async ({ skip }) => {
    skip(!isOn, WHY_NOT);
    const first = await setUp();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('Native TensorFlow is set up.');
    expect(await readdir(join(cacheDir, 'native'))).toHaveLength(2);
    const second = await setUp();
    expect(second.stdout).toContain('Native TensorFlow is already set up.');
    expect(second.seconds).toBeLessThan(1);
    console.log(`first call ${first.seconds.toFixed(1)} s, second ${second.seconds.toFixed(2)} s`);

    const native = await trainThreeSteps('native', cacheDir);
    const cpu = await trainThreeSteps('cpu');
    expect(native.version).toBe('tfjs 4.22.0, TensorFlow 2.21.0');
    expect(native.losses).toHaveLength(3);
    native.losses.forEach((loss, step) =>
      expect(Math.abs(loss - (cpu.losses[step] ?? NaN))).toBeLessThan(1e-4),
    );
    const { memory } = native;
    // What the convolution gives: 32 examples of 30 by 30 with 4 filters, 4 bytes each.
    expect(memory?.peakBytes).toBeGreaterThan(32 * 30 * 30 * 4 * 4);
    expect(memory?.peakBytes).toBeGreaterThanOrEqual(memory?.currentBytes ?? NaN);
  });

  it('is what train --backend auto takes', async ({ skip }) => {
    skip(!isOn, WHY_NOT);
    const { code, stdout } = await batchwise(['train', '--dataset', 'digits', '--epochs', '1'], {
      env: { BATCHWISE_CACHE_DIR: cacheDir },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Engine +native: .*TensorFlow 2\.21\.0$/m);
  });
});
