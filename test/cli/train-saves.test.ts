import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchwise, signalOnce, smallMnist, temporaryFolder, type Outcome } from './batchwise.ts';

/** A script for the command's process: it calls `harm` once an epoch is told, and then lets the line out or not. */
const onEpoch = (epoch: number, harm: string): string => `
  import { rmSync, writeFileSync } from 'node:fs';
  const log = console.log;
  let isOver = false;
  console.log = (line) => {
    if (!isOver && String(line).includes('epoch ${epoch} of')) {
      isOver = true;
      ${harm}
    }
    log(line);
  };`;

/** What the engine of TensorFlow.js computes with, in that process. */
const ENGINE = 'globalThis._tfengine';

describe('batchwise train --save, where something fails', () => {
  let data: string;
  beforeAll(async () => {
    data = await smallMnist(1500, 200);
  });

  /** Runs two epochs, harmed so; the files are those of the run. */
  async function harmed(script: string, ...args: string[]) {
    const out = await temporaryFolder();
    const [save, json, cache] = [join(out, 'model'), join(out, 'run.json'), join(out, 'cache')];
    const preload = join(out, 'harm.mjs');
    await writeFile(preload, script.replaceAll('$SAVE', save));
    await mkdir(save);
    const env = { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}`, BATCHWISE_CACHE_DIR: cache };
    const files = ['--save', save, '--json', json];
    const task = ['--data-dir', data, '--backend', 'wasm', '--epochs', '2', ...files, ...args];
    const outcome: Outcome = await batchwise(['train', ...task], { env });
    const record = JSON.parse(await readFile(json, 'utf8')) as Record<string, unknown>;
    return { ...outcome, save, record, tuning: await readdir(join(cache, 'tuning')).catch(() => []) };
  }

  it('keeps the model and what was learned where the test set cannot be evaluated', async () => {
    const harm = `${ENGINE}.runKernel = () => { throw new Error('no kernel is left'); };`;
    const { code, stdout, stderr, save, record, tuning } = await harmed(onEpoch(2, harm));
    expect([code, stderr.split('\n')[0]]).toEqual([1, 'batchwise: no kernel is left']);
    expect(await readdir(save)).toEqual(['model.json', 'weights.bin']);
    expect(stdout).toContain(`Model       saved in ${save}\n`);
    expect(record).toMatchObject({ status: 'completed', test: null });
    expect(tuning).toHaveLength(1);
  });

  it('saves what was trained until a run failed, and says so', async () => {
    const { code, stdout, stderr, save, record, tuning } = await harmed(
      onEpoch(1, `throw new Error('paper jam');`),
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('paper jam')]);
    expect(await readdir(save)).toEqual(['model.json', 'weights.bin']);
    expect(stdout).toContain(`Model       saved in ${save} as it was when the run failed\n`);
    expect(record).toMatchObject({ status: 'failed', error: expect.stringContaining('paper jam') });
    expect(tuning).toEqual([]);
  });

  it('puts no weights that are not finite in the place of an earlier model, and says so', async () => {
    const harm = `
      ${ENGINE}.read = () => Promise.resolve(new Float32Array([1, NaN]));
      writeFileSync('$SAVE/model.json', 'earlier');
      throw new Error('paper jam');`;
    const { code, stdout, stderr, save } = await harmed(onEpoch(1, harm));
    expect([code, stdout.includes('Model       saved')]).toEqual([1, false]);
    expect(stderr).toContain(
      `batchwise: --save ${save} got no model of this run: its weights are not all finite numbers. ` +
        'Lower --learning-rate and train again.\n',
    );
    expect(stderr).toContain('paper jam');
    expect(await readFile(join(save, 'model.json'), 'utf8')).toBe('earlier');
  });

  it('tests the model and writes the record where the model cannot be saved', async () => {
    const harm = `rmSync('$SAVE', { recursive: true }); writeFileSync('$SAVE', '');`;
    const { code, stderr, record, tuning } = await harmed(onEpoch(2, harm));
    expect([code, stderr]).toEqual([1, expect.stringContaining('EEXIST')]);
    expect(record).toMatchObject({ status: 'completed', test: { accuracy: expect.any(Number) as number } });
    expect(tuning).toHaveLength(1);
  });

  it('leaves an earlier model alone where no step was done', async () => {
    const earlier = `import { writeFileSync } from 'node:fs'; writeFileSync('$SAVE/model.json', 'earlier');`;
    const { code, stdout, save } = await harmed(earlier, '--max-seconds', '1e-9');
    expect([code, await readFile(join(save, 'model.json'), 'utf8')]).toEqual([0, 'earlier']);
    expect(stdout).toContain('Model       not saved, as the run ended before its first step\n');
  });

  it('saves the model of a run that was interrupted', async () => {
    const save = join(await temporaryFolder(), 'model');
    const args = ['train', '--data-dir', data, '--backend', 'wasm', '--epochs', '100000', '--save', save];
    const onOutput = signalOnce(/epoch 1 of/, 'SIGINT');
    const { code, stdout } = await batchwise([...args, '--no-record', '--policy', 'fixed'], { onOutput });
    expect([code, existsSync(join(save, 'model.json'))]).toEqual([130, true]);
    expect(stdout).toContain(`Model       saved in ${save}\n`);
  });
});
