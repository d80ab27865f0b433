import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TuningRecord } from '@batchwise/tuner';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RunSetting } from '../src/run-record.ts';
import { tuningKey, TuningStore } from '../src/tuning-store.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'tuning-store-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const setting: RunSetting = {
  seed: 1,
  dataset: { name: 'mnist', source: 'cache', trainExamples: 54_000, validationExamples: 6000 },
  model: { name: 'mlp', parameters: 42_310 },
  backend: { name: 'wasm', version: '4.22.0', device: 'CPU' },
  policy: { name: 'goodput', options: {} },
  optimizer: { name: 'adam', learningRate: 0.002 },
  sampler: { name: 'shuffled' },
};
const key = tuningKey(setting);
const record: TuningRecord = {
  schema: 'batchwise.tuning/1',
  runs: 1,
  stepTimes: [{ batchSize: 32, parts: 1, seconds: 2e-3, firstSeconds: null }],
  noiseScale: 400,
  batchSize: 32,
  largestMicroBatchSize: 32,
  failedMicroBatchSize: null,
};

it('has nothing at first, then what was added, merged', async () => {
  const store = new TuningStore(folder);
  expect(await store.read(key)).toEqual({ record: undefined, notice: undefined });
  expect(await store.add(key, record)).toBeUndefined();
  expect((await store.read(key)).record).toMatchObject(record);
  await new TuningStore(folder).add(key, { ...record, noiseScale: 100 });
  expect((await store.read(key)).record).toMatchObject({ runs: 2, noiseScale: expect.closeTo(200, 9) });
  // Nothing is left of the file that became this one.
  expect(await readdir(join(folder, 'tuning'))).toHaveLength(1);
});

it('keeps apart what was found for another model, data set, optimizer or engine', async () => {
  const store = new TuningStore(folder);
  await store.add(key, record);
  const others: RunSetting[] = [
    { ...setting, model: { ...setting.model, parameters: 1 } },
    { ...setting, dataset: { ...setting.dataset, trainExamples: 1 } },
    { ...setting, optimizer: { ...setting.optimizer, name: 'sgd' } },
    { ...setting, backend: { ...setting.backend, device: 'another' } },
    { ...setting, sampler: { name: 'hard' } },
    { ...setting, sampler: { name: setting.sampler.name, beta: 0.3 } },
  ];
  for (const other of others) expect((await store.read(tuningKey(other))).record).toBeUndefined();
  const hard = (more: object) => tuningKey({ ...setting, sampler: { name: 'hard', ...more } });
  expect(hard({ beta: 0.3 })).not.toEqual(hard({ floor: 0.3 }));
  // The seed, the policy and the learning rate change neither times nor noise much.
  expect(tuningKey({ ...setting, seed: 2, optimizer: { name: 'adam', learningRate: 1 } })).toEqual(key);
});

it.each(['', '{', '[]', '{"schema": "batchwise.tuning/1"}'])(
  'does not use a file that holds %j',
  async (content) => {
    const store = new TuningStore(folder);
    await store.add(key, record);
    const [file = ''] = await readdir(join(folder, 'tuning'));
    const path = join(folder, 'tuning', file);
    await writeFile(path, content);
    expect(await store.read(key)).toEqual({
      record: undefined,
      notice: `${path} is no tuning record and is not used.`,
    });
    await store.add(key, record);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ ...record, key });
  },
);

it('says why it could not keep a record', async () => {
  await writeFile(join(folder, 'tuning'), 'a file in the place of the folder');
  const store = new TuningStore(folder);
  expect(await store.add(key, record)).toMatch(/^What was learned could not be kept in .*: /);
});
