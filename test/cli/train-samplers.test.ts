import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchwise, smallMnist, temporaryFolder, type Outcome } from './batchwise.ts';
import { expectRunRecord } from './run-record.ts';

describe('batchwise train --sampler', () => {
  let data: string;
  let out: string;
  beforeAll(async () => {
    [data, out] = [await smallMnist(1500, 200), await temporaryFolder()];
  });
  const trainOn = (...args: string[]): Promise<Outcome> =>
    batchwise(['train', '--data-dir', data, '--backend', 'wasm', '--no-record', ...args]);

  it.each(['balanced', 'importance', 'hard', 'curriculum'])('trains with --sampler %s', async (sampler) => {
    const json = join(out, `${sampler}.json`);
    const { code, stdout, stderr } = await trainOn('--sampler', sampler, '--epochs', '4', '--json', json);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Sampler +${sampler}$`, 'm'));
    const record = expectRunRecord(JSON.parse(await readFile(json, 'utf8')) as unknown);
    expect(record.sampler).toEqual({ name: sampler });
    expect(record.totals.examples).toBe(4 * 1350);
    // It learns: ten classes by chance are 0.1.
    expect(record.test?.accuracy).toBeGreaterThan(0.6);
  });

  it('refuses an option that its sampler has no use for, and a sampler that it does not know', async () => {
    const paced = await trainOn('--curriculum-epochs', '2');
    expect(paced).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--curriculum-epochs is for --sampler curriculum'),
    });
    const unknown = await trainOn('--sampler', 'bucket');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('Allowed choices are shuffled, stratified, balanced');
  });
});
