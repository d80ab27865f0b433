import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadEngine } from '@batchwise/backend/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchwise, signalOnce, smallMnist, temporaryFolder, type Outcome } from './batchwise.ts';
import { expectRunRecord } from './run-record.ts';

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

describe('batchwise train', () => {
  let data: string;
  let out: string;
  beforeAll(async () => {
    [data, out] = [await smallMnist(1500, 200), await temporaryFolder()];
  });
  const trainOn = (...args: string[]): Promise<Outcome> =>
    batchwise(['train', '--data-dir', data, '--backend', 'wasm', '--no-record', ...args]);

  it('trains, explains itself and writes the record of the run', async () => {
    const json = join(out, 'deep', 'run.json');
    const { code, stdout, stderr } = await trainOn('--epochs', '3', '--seed', '7', '--json', json);
    expect([code, stderr]).toEqual([0, '']);
    const record = expectRunRecord(await readJson(json));
    expect(record).toMatchObject({
      status: 'completed',
      seed: 7,
      dataset: { name: 'mnist', source: data, trainExamples: 1350, validationExamples: 150 },
      model: { name: 'mlp', parameters: 42_310 },
      backend: { name: 'wasm' },
      policy: { name: 'goodput', options: { batchSize: 32 } },
      optimizer: { name: 'adam', learningRate: 0.002 },
    });
    expect(record.epochs.map(({ epoch, examples }) => [epoch, examples])).toEqual([
      [1, 1350],
      [2, 1350],
      [3, 1350],
    ]);
    for (const plan of record.plans.slice(1)) expect(stdout).toContain(plan.reason.text);
    for (const line of [
      /^Data +mnist from /m,
      /^Engine +wasm/m,
      /epoch 3 of 3: train loss/,
      /^Test +accuracy /m,
    ])
      expect(stdout).toMatch(line);
  });

  it('gives the same losses from the same seed, and others from another', async () => {
    const losses = async (seed: string): Promise<string> => {
      const json = join(out, `fixed-${seed}.json`);
      await trainOn(
        '--policy',
        'fixed',
        '--batch-size',
        '48',
        '--epochs',
        '2',
        '--seed',
        seed,
        '--json',
        json,
      );
      const { epochs, test } = expectRunRecord(await readJson(json));
      return [...epochs.flatMap((e) => [e.trainLoss, e.validationLoss]), test?.loss]
        .map((x) => x?.toPrecision(6))
        .join(' ');
    };
    const first = await losses('3');
    expect(await losses('3')).toBe(first);
    expect(await losses('4')).not.toBe(first);
  });

  it('saves a model that loads again and answers the same', async () => {
    const [save, json] = [join(out, 'model'), join(out, 'saved.json')];
    await trainOn(
      '--epochs',
      '2',
      '--save',
      save,
      '--json',
      json,
      '--model',
      'cnn',
      '--optimizer',
      'momentum',
    );
    const { tf } = await loadEngine('wasm');
    const manifest = JSON.parse(await readFile(join(save, 'model.json'), 'utf8')) as {
      modelTopology: object;
      weightsManifest: { weights: { name: string; shape: number[]; dtype: 'float32' }[] }[];
    };
    const weights = await readFile(join(save, 'weights.bin'));
    const model = await tf.loadLayersModel({
      load: () =>
        Promise.resolve({
          modelTopology: manifest.modelTopology,
          weightSpecs: manifest.weightsManifest[0]?.weights ?? [],
          weightData: new Uint8Array(weights).buffer,
        }),
    });
    expect(model.countParams()).toBe(expectRunRecord(await readJson(json)).model.parameters);
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const { readMnistDirectory, imageSource } = await import('@batchwise/data');
    const { test, imageShape } = await readMnistDirectory(data);
    const batch = await imageSource(test, { imageShape, classes: 10, shuffle: false }).epoch(0).take(200);
    if (!batch) throw new Error('no test images');
    const [loss] = [
      model.evaluate(
        tf.tensor(batch.xs.data, [...batch.xs.shape]),
        tf.tensor(batch.ys.data, [...batch.ys.shape]),
      ),
    ].flat();
    const expected = expectRunRecord(await readJson(json)).test?.loss ?? NaN;
    expect((await loss?.data())?.[0]).toBeCloseTo(expected, 5);
  });

  it('accumulates above --micro-batch-size and stops at its target', async () => {
    const json = join(out, 'target.json');
    const args = [
      '--policy',
      'fixed',
      '--batch-size',
      '64',
      '--micro-batch-size',
      '16',
      '--target-accuracy',
      '0.3',
    ];
    const { code, stdout } = await trainOn(...args, '--epochs', '40', '--json', json);
    const { plans, epochs } = expectRunRecord(await readJson(json));
    expect(code).toBe(0);
    expect(plans[0]).toMatchObject({ batchSize: 64, microBatchSize: 16 });
    expect(epochs.length).toBeLessThan(40);
    expect(epochs.at(-1)?.validationAccuracy).toBeGreaterThanOrEqual(0.3);
    expect(stdout).toContain('Target      validation accuracy 30.0 % reached');
  });

  it('ends cleanly on Ctrl-C, with the summary and the record so far', async () => {
    const json = join(out, 'interrupted.json');
    // Through npm one key arrives twice.
    const interrupt = signalOnce(/epoch 2 of/, 'SIGINT', 'SIGTERM');
    const args = ['train', '--data-dir', data, '--epochs', '100000', '--policy', 'fixed', '--json', json];
    const { code, stdout } = await batchwise(args, { onOutput: interrupt });
    expect(code).toBe(130);
    expect(stdout).toMatch(/^Interrupted +[\d,]+ examples in/m);
    const record = expectRunRecord(await readJson(json));
    expect(record).toMatchObject({ status: 'aborted', test: null });
    expect(record.totals.examples).toBeGreaterThanOrEqual(2700);
  });

  it('prints nothing when it is to be quiet', async () => {
    expect(await trainOn('--epochs', '1', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('bad input', () => {
  const cases: [string, string[], number, string][] = [
    [
      'a negative count',
      ['--epochs', '-1'],
      2,
      "option '--epochs <n>' argument '-1' is invalid. Give a whole number above 0.",
    ],
    ['an unknown choice', ['--dataset', 'imagenet'], 2, 'Allowed choices are mnist, cifar10, digits.'],
    ['an unknown option', ['--batchsize', '32'], 2, 'Did you mean --batch-size?'],
    [
      'an impossible target',
      ['--target-accuracy', '97'],
      2,
      'Give a share above 0 and up to 1, such as 0.97.',
    ],
    ['a folder without the data', ['--data-dir', '/nowhere/at/all'], 1, '/nowhere/at/all'],
    ['a record that is a folder', ['--json', '/'], 1, '--json / is a directory; give the name of a file.'],
    [
      'sizes out of order',
      ['--batch-size', '64', '--max-batch-size', '32', '--dataset', 'digits'],
      2,
      'max-batch-size',
    ],
  ];
  it.each(cases)('%s is refused with the way out', async (_name, args, code, message) => {
    const outcome = await batchwise(['train', ...args]);
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).not.toContain('    at ');
    expect(outcome.code).toBe(code);
  });

  it('an engine that is not installed', async () => {
    const data = await smallMnist(100, 10);
    const { code, stderr } = await batchwise(['train', '--data-dir', data, '--backend', 'native']);
    if (code === 0) return expect(stderr).toBe('');
    expect([code, stderr]).toEqual([1, expect.stringContaining('Engine "native" is not to be had')]);
  });
});

describe('help', () => {
  it('names each option with what it does', async () => {
    const { code, stdout } = await batchwise(['train', '--help']);
    expect(code).toBe(0);
    for (const option of [
      'dataset',
      'data-dir',
      'model',
      'backend',
      'policy',
      'batch-size',
      'epochs',
      'target-accuracy',
      'seed',
      'json',
      'quiet',
      'save',
    ])
      expect(stdout).toMatch(new RegExp(`^ +--${option}\\b.* {2,}\\S`, 'm'));
    expect(stdout).toContain('Examples:');
  });
});

const dataDir = process.env['BATCHWISE_DATA_DIR'];
const mnist = dataDir ? join(dataDir, 'mnist') : undefined;

describe.skipIf(!mnist || !existsSync(mnist))(
  'on real MNIST (skipped where BATCHWISE_DATA_DIR has no mnist)',
  () => {
    it('reaches 96.5 % in three epochs and changes its batch for a reason', async () => {
      const json = join(await temporaryFolder(), 'run.json');
      const args = [
        '--dataset',
        'mnist',
        '--data-dir',
        mnist ?? '',
        '--epochs',
        '3',
        '--seed',
        '1',
        '--json',
        json,
      ];
      const { code } = await batchwise(['train', ...args]);
      expect(code).toBe(0);
      const record = expectRunRecord(await readJson(json));
      expect(record.dataset).toMatchObject({
        name: 'mnist',
        trainExamples: 54_000,
        validationExamples: 6000,
      });
      expect(
        Math.max(...record.epochs.map(({ validationAccuracy }) => validationAccuracy ?? 0)),
      ).toBeGreaterThanOrEqual(0.965);
      expect(record.test?.accuracy).toBeGreaterThan(0.95);
      expect(record.plans.length).toBeGreaterThan(1);
    });
  },
);
