import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchwise, signalOnce, smallMnist, temporaryFolder } from './batchwise.ts';
import { expectRunRecord, type RunRecord } from './run-record.ts';

interface Trial {
  batchSize: number;
  verdict: string;
  peak: { peakBytes: number };
  predictedPeakBytes: number | null;
  steps: number;
  stepSeconds: number;
  examplesPerSecond: number;
}

interface Probe {
  schema: string;
  model: { name: string; parameters: number };
  backend: { name: string };
  budget: { bytes: number; source: string };
  ceiling: {
    batchSize: number;
    limitedBy: string;
    reason: string;
    safety: number;
    fit: { floorBytes: number; interceptBytes: number; bytesPerExample: number };
    trials: Trial[];
  };
}

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

let data: string;
let out: string;
beforeAll(async () => {
  [data, out] = [await smallMnist(2000, 100), await temporaryFolder()];
});

describe('batchwise probe', () => {
  const probe = (...args: string[]) =>
    batchwise(['probe', '--data-dir', data, '--backend', 'wasm', '--model', 'cnn', ...args]);

  it('finds the size below the budget whose next one is above, and shows each trial in 80 columns', async () => {
    const json = join(out, 'deep', 'probe.json');
    const { code, stdout, stderr } = await probe('--budget', '60MB', '--json', json);
    expect([code, stderr]).toEqual([0, '']);
    const record = (await readJson(json)) as Probe;
    expect(record).toMatchObject({
      schema: 'batchwise.probe/1',
      model: { name: 'cnn', parameters: 105_866 },
      backend: { name: 'wasm' },
      budget: { bytes: 60e6, source: 'asked for by --budget' },
      ceiling: { limitedBy: 'memory', safety: 0.98 },
    });
    const { batchSize, fit, trials, reason } = record.ceiling;
    const peakAt = (size: number): number =>
      Math.max(fit.floorBytes, fit.interceptBytes + fit.bytesPerExample * size);
    expect(peakAt(batchSize)).toBeLessThanOrEqual(0.98 * 60e6);
    // The band around the fit costs a few per cent.
    expect(peakAt(batchSize * 1.06)).toBeGreaterThan(0.98 * 60e6);
    const last = trials.find((trial) => trial.batchSize === batchSize);
    expect(last).toMatchObject({ verdict: 'fits', steps: 2 });
    expect(Math.abs((last?.peak.peakBytes ?? 0) / peakAt(batchSize) - 1)).toBeLessThan(0.05);
    for (const trial of trials)
      expect(trial.examplesPerSecond).toBeCloseTo(trial.batchSize / trial.stepSeconds, 6);
    const lines = stdout.split('\n');
    const table = lines.slice(lines.findIndex((line) => line.includes('Measured')));
    for (const line of table.slice(0, trials.length + 1)) expect(line.length).toBeLessThanOrEqual(80);
    for (const [i, trial] of trials.entries())
      expect(table[i + 1]).toMatch(new RegExp(`^ +${trial.batchSize} .* (fits|over budget)$`));
    expect(stdout).toContain(reason);
    expect(stdout).toMatch(new RegExp(`^Ceiling +${batchSize} examples at once$`, 'm'));
  });

  it('ends with 1 where nothing fits, and with 2 for what is no number of bytes', async () => {
    const { code, stdout } = await probe('--budget', '100kB');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Ceiling +none$/m);
    expect(await probe('--budget', '2 parsecs')).toMatchObject({ code: 2 });
  });

  it('is interrupted by Ctrl-C', async () => {
    const { code, stdout } = await batchwise(
      ['probe', '--data-dir', data, '--backend', 'wasm', '--model', 'cnn', '--budget', '500MB'],
      { onOutput: signalOnce(/ fits\n/, 'SIGINT') },
    );
    expect(code).toBe(130);
    expect(stdout).toContain('Interrupted.');
  });
});

describe('batchwise train, with little memory', () => {
  it('probes first, accumulates above the ceiling, and confirms it the next time', async () => {
    const env = { BATCHWISE_CACHE_DIR: await temporaryFolder() };
    const json = join(out, 'run.json');
    const run = async () => {
      const engine = ['--data-dir', data, '--backend', 'wasm', '--no-record'];
      const task = [...engine, '--optimizer', 'sgd', '--epochs', '12'];
      const sizes = ['--policy', 'fixed', '--batch-size', '64', '--budget', '1.3MB'];
      const { code, stdout } = await batchwise(['train', ...task, ...sizes, '--json', json], {
        env,
      });
      expect(code).toBe(0);
      type Probed = {
        probe: { microBatchSize: number | null; seconds: number; trials: Trial[]; text: string } | null;
      };
      const record = expectRunRecord(await readJson(json)) as RunRecord & Probed;
      return { stdout, probe: record.probe, plan: record.plans[0], totals: record.totals };
    };
    const one = await run();
    const ceiling = one.probe?.microBatchSize ?? 0;
    expect(ceiling).toBeGreaterThan(16);
    expect(ceiling).toBeLessThan(40);
    expect(one.plan).toMatchObject({ batchSize: 64 });
    expect(one.plan?.microBatchSize).toBeLessThanOrEqual(ceiling);
    expect(one.plan?.microBatchSize).toBeGreaterThan(ceiling / 2);
    expect(one.stdout).toContain(`Memory      ${one.probe?.text}`);
    expect(one.totals.tuningSeconds).toBeGreaterThanOrEqual(one.probe?.seconds ?? Infinity);
    const [file = ''] = await readdir(join(env.BATCHWISE_CACHE_DIR, 'ceilings'));
    const path = join(env.BATCHWISE_CACHE_DIR, 'ceilings', file);
    expect(await readJson(path)).toMatchObject({
      schema: 'batchwise.ceiling/1',
      batchSize: ceiling,
      isLimit: true,
      budgetBytes: 1.3e6,
    });
    const two = await run();
    expect(two.probe?.microBatchSize).toBe(ceiling);
    expect(two.probe?.trials.map(({ batchSize }) => batchSize)).toEqual([ceiling]);
    expect(two.probe?.text).toContain('one trial confirmed');
    await writeFile(path, '{"schema": "batchwise.ceiling/1", "batchSize": -4');
    const three = await run();
    expect(three.probe?.text).toContain(`${path} is no stored ceiling and is not used.`);
    expect(three.probe?.microBatchSize).toBe(ceiling);
  });

  it('looks once where the largest batch obviously fits, and not at all where the run is short', async () => {
    const run = async (...args: string[]) =>
      (await batchwise(['train', '--data-dir', data, '--backend', 'wasm', '--no-record', ...args])).stdout;
    expect(await run('--epochs', '4')).toMatch(/^Memory +the largest batch, 32, takes .* at most, of /m);
    expect(await run('--epochs', '1')).toMatch(/^Memory +memory not probed: the run is too short for it$/m);
    expect(await run('--epochs', '1', '--no-probe')).not.toContain('not probed');
  });
});
