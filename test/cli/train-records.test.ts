import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { policy, replay, type RunTrace } from '@batchwise/tuner';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchwise, smallMnist, temporaryFolder, type Outcome } from './batchwise.ts';
import { expectRunRecord } from './run-record.ts';

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

describe('what batchwise train keeps of a run', () => {
  let data: string;
  let out: string;
  beforeAll(async () => {
    [data, out] = [await smallMnist(1500, 200), await temporaryFolder()];
  });
  const trainOn = (...args: string[]): Promise<Outcome> =>
    batchwise(['train', '--data-dir', data, '--backend', 'wasm', '--no-record', ...args]);

  it('starts from the record of earlier runs, unless it is told not to', async () => {
    const env = { BATCHWISE_CACHE_DIR: await temporaryFolder() };
    const run = async (...args: string[]) => {
      const json = join(out, 'learned.json');
      const small = ['--batch-size', '8', '--epochs', '8', '--backend', 'wasm'];
      const all = ['--data-dir', data, ...small, '--json', json, ...args];
      const { code, stdout } = await batchwise(['train', ...all], { env });
      expect(code).toBe(0);
      return { stdout, first: expectRunRecord(await readJson(json)).plans[0]?.reason.code };
    };
    const one = await run();
    expect(one.first).toBe('start');
    expect(one.stdout).toMatch(/^Policy +goodput$/m);
    const [file = ''] = await readdir(join(env.BATCHWISE_CACHE_DIR, 'tuning'));
    const path = join(env.BATCHWISE_CACHE_DIR, 'tuning', file);
    expect(await readJson(path)).toMatchObject({
      schema: 'batchwise.tuning/1',
      runs: 1,
      key: { optimizer: 'adam' },
    });
    const two = await run();
    expect(two.first).toBe('recorded');
    expect(two.stdout).toMatch(/^Policy +goodput, from the record of an earlier run$/m);
    expect(await readJson(path)).toMatchObject({ runs: 2 });
    expect((await run('--no-record')).first).toBe('start');
    expect(await readJson(path)).toMatchObject({ runs: 2 });
    await writeFile(path, '{"schema": "batchwise.tuning/1", "runs"');
    const four = await run();
    expect(four.first).toBe('start');
    expect(four.stdout).toContain(`${path} is no tuning record and is not used.`);
    expect(await readJson(path)).toMatchObject({ runs: 1 });
  });

  it('writes a trace from which the same controller decides the same', async () => {
    const [json, trace] = [join(out, 'traced.json'), join(out, 'trace.json')];
    await trainOn(
      '--epochs',
      '8',
      '--batch-size',
      '8',
      '--json',
      json,
      '--trace',
      trace,
      '--policy',
      'knee',
      '--optimizer',
      'sgd',
    );
    const record = expectRunRecord(await readJson(json));
    const decisions = replay(
      policy('knee', { optimizer: 'sgd', batchSize: 8 }),
      (await readJson(trace)) as RunTrace,
    );
    expect(decisions).toHaveLength(record.totals.steps + 1);
    expect(record.plans.map(({ reason }) => reason.text)).toEqual(
      record.plans.map(({ step }) => decisions[step]?.reason.text),
    );
  });

  it('grows the batch in place of a falling rate', async () => {
    const json = join(out, 'schedule.json');
    const { code } = await trainOn(
      '--policy',
      'schedule',
      '--batch-size',
      '4',
      '--epochs',
      '4',
      '--json',
      json,
    );
    expect(code).toBe(0);
    const { plans } = expectRunRecord(await readJson(json));
    expect(plans.map(({ batchSize }) => batchSize)).toEqual([4, 8]);
  });
});
