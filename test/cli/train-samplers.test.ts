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

  it.each([
    ['stratified', {}, []],
    ['balanced', {}, []],
    ['weighted', { beta: 0.5 }, ['--sampler-beta', '0.5']],
    ['importance', { beta: 0.9, floor: 0.3 }, ['--sampler-beta', '0.9', '--sampler-floor', '0.3']],
    ['hard', { floor: 0.5 }, ['--sampler-floor', '0.5']],
    ['curriculum', { curriculumEpochs: 1.5 }, ['--curriculum-epochs', '1.5']],
    ['anti-curriculum', {}, []],
    ['random-curriculum', {}, []],
  ])('trains with --sampler %s and %j', async (sampler, given, args) => {
    const json = join(out, `${sampler}.json`);
    const { code, stdout, stderr } = await trainOn(
      '--sampler',
      sampler,
      ...args,
      '--epochs',
      '3',
      '--json',
      json,
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Sampler +${sampler}$`, 'm'));
    const record = expectRunRecord(JSON.parse(await readFile(json, 'utf8')) as unknown);
    expect(record.sampler).toEqual({ name: sampler, ...given });
    expect(record.totals.examples).toBe(3 * 1350);
    // It learns: ten classes by chance are 0.1.
    expect(record.test?.accuracy).toBeGreaterThan(0.5);
  });

  it('refuses an option that its sampler has no use for, and a sampler that it does not know', async () => {
    const refusals = [
      [
        'shuffled',
        '--curriculum-epochs',
        'is for --sampler curriculum, anti-curriculum, random-curriculum; this run has',
      ],
      ['balanced', '--sampler-beta', 'is for --sampler weighted, importance, hard; this run has balanced.'],
      ['weighted', '--sampler-floor', 'is for --sampler importance, hard; this run has weighted.'],
    ] as const;
    for (const [sampler, flag, text] of refusals)
      expect(await trainOn('--sampler', sampler, flag, '1')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`${flag} ${text}`),
      });
    expect(await trainOn('--sampler', 'hard', '--sampler-floor', '1.2')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("argument '1.2' is invalid. Give a share from 0 to 1."),
    });
    const unknown = await trainOn('--sampler', 'bucket');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('Allowed choices are shuffled, stratified, balanced');
  });
});
