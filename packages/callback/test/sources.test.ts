import { tensorSource } from '@batchwise/backend';
import { builtInDigits, imageSource } from '@batchwise/data';
import { shuffled } from '@batchwise/sampler';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise, fit, type TunedSource } from '../src/index.ts';
import {
  always,
  classifier,
  furthest,
  loadData,
  loadTf,
  noise,
  rowsOf,
  tensorsOf,
  weightsOf,
} from './support.ts';

const tf = await loadTf();
const data = await loadData();
const COUNT = 40;
const rows = rowsOf(COUNT);
const tensors = tensorsOf(tf, COUNT);
const rowAt = (values: ArrayLike<number>, width: number, i: number) =>
  Array.from({ length: width }, (_, k) => values[i * width + k] ?? NaN);

const dataset = (element: (i: number) => unknown) =>
  data.array(Array.from({ length: COUNT }, (_, i) => i) as never).map((i) => element(Number(i)) as never);

async function trained(
  source: TunedSource,
  options: { shuffle?: boolean; seed?: number } = { shuffle: false },
) {
  const model = classifier(tf, tf.train.adam(0.05));
  const controller = always({ batchSize: 10, microBatchSize: 4 }, ['loss', 'gradient']);
  const tuned = batchwise(tf, { source, controller, ...options });
  const run = () => model.fitDataset(tuned.dataset, { epochs: 1, verbose: 0, callbacks: [tuned.callback] });
  await run();
  await expectNoLeak(tf, run);
  return weightsOf(model);
}

describe('the same examples train the same, however they are given', () => {
  const expected = trained(tensors);
  const named = () => {
    const [input = ''] = (classifier(tf, 'sgd') as unknown as { inputNames: string[] }).inputNames;
    return input;
  };
  const sources: Readonly<Record<string, TunedSource>> = {
    'lists of tensors': { xs: [tensors.xs], ys: [tensors.ys] },
    'typed arrays': { xs: rows.xs, ys: rows.ys },
    'typed arrays with their shape': {
      xs: { data: rows.xs, shape: [COUNT, 4] },
      ys: { data: rows.ys, shape: [COUNT, 3] },
    },
    'bytes for targets': { xs: rows.xs, ys: Uint8Array.from(rows.ys) },
    'tensors and arrays mixed': { xs: rows.xs, ys: tensors.ys },
    'a source of rows of tensors': tensorSource(
      { size: COUNT, epoch: () => inOrder() },
      { xs: tensors.xs, ys: tensors.ys },
    ),
    'a data set of lists': dataset((i) => ({ xs: rowAt(rows.xs, 4, i), ys: rowAt(rows.ys, 3, i) })),
    'a data set of tensors': dataset((i) => ({
      xs: tf.tensor1d(rowAt(rows.xs, 4, i)),
      ys: tf.tensor1d(rowAt(rows.ys, 3, i)),
    })),
    'a data set of typed arrays': dataset((i) => ({
      xs: Float32Array.from(rowAt(rows.xs, 4, i)),
      ys: Float32Array.from(rowAt(rows.ys, 3, i)),
    })),
  };
  function inOrder() {
    let at = 0;
    return {
      take: (count: number) => Int32Array.from({ length: Math.min(count, COUNT - at) }, () => at++),
    };
  }

  it.each(Object.keys(sources))('%s', async (name) => {
    const source = sources[name];
    if (!source) throw new Error(name);
    expect(furthest(await expected, await trained(source))).toBeLessThan(1e-6);
  });

  it('by the names of the inputs and outputs', async () => {
    const model = classifier(tf, tf.train.adam(0.05)) as unknown as {
      inputNames: string[];
      outputNames: string[];
    };
    const [input = '', output = ''] = [model.inputNames[0], model.outputNames[0]];
    expect(named()).not.toBe(input);
    const tuned = batchwise(tf, {
      source: { xs: { [input]: tensors.xs }, ys: { [output]: tensors.ys } },
      shuffle: false,
      controller: always({ batchSize: 10, microBatchSize: 4 }, ['loss', 'gradient']),
    });
    const sequential = model as unknown as ReturnType<typeof classifier>;
    const run = () =>
      sequential.fitDataset(tuned.dataset, { epochs: 1, verbose: 0, callbacks: [tuned.callback] });
    await run();
    await run();
    expect(furthest(await expected, await weightsOf(sequential))).toBeLessThan(1e-6);
  });

  it('a source of images', async () => {
    const digits = builtInDigits({ trainCount: 100, testCount: 1 });
    const options = { imageShape: digits.imageShape, classes: 10, flat: true, shuffle: true, seed: 4 };
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 10, inputShape: [784] })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const tuned = batchwise(tf, {
      source: imageSource(digits.train, options),
      policy: 'fixed',
      batchSize: 30,
    });
    await model.fitDataset(tuned.dataset, { epochs: 2, verbose: 0, callbacks: [tuned.callback] });
    expect(tuned.history.history.batchSize).toEqual([25, 25]);
  });

  it('shuffled as the sampler of that seed says, unless shuffle is false', async () => {
    const reference = trained(tensorSource(shuffled(COUNT, { seed: 9 }), tensors));
    expect(furthest(await reference, await trained(tensors, { seed: 9 }))).toBeLessThan(1e-7);
    expect(furthest(await reference, await trained(tensors, { seed: 8 }))).toBeGreaterThan(1e-4);
    expect(furthest(await reference, await expected)).toBeGreaterThan(1e-4);
  });
});

describe('shapes', () => {
  it('single numbers are one feature, in tensors, arrays, data sets and fit', async () => {
    const x = noise(COUNT, 3);
    const y = x.map((value) => 2 * value + 1);
    const line = () => {
      const model = tf.sequential({
        layers: [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'zeros' })],
      });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
      return model;
    };
    const results: number[][] = [];
    const scalars = dataset((i) => ({ xs: tf.scalar(x[i] ?? NaN), ys: y[i] ?? NaN }));
    for (const source of [{ xs: tf.tensor1d(x), ys: tf.tensor1d(y) }, { xs: x, ys: y }, scalars]) {
      const model = line();
      const tuned = batchwise(tf, { source, policy: 'fixed', batchSize: 8, shuffle: false });
      await model.fitDataset(tuned.dataset, { epochs: 5, verbose: 0, callbacks: [tuned.callback] });
      results.push(await weightsOf(model));
    }
    const model = line();
    const args = { epochs: 5, batchSize: 8, shuffle: false, verbose: 0 } as const;
    await fit(model, tf.tensor1d(x), tf.tensor1d(y), { tf, ...args, tuner: { policy: 'fixed' } });
    results.push(await weightsOf(model));
    const plain = line();
    await plain.fit(tf.tensor1d(x), tf.tensor1d(y), args);
    for (const weights of results) expect(furthest(await weightsOf(plain), weights)).toBeLessThan(1e-6);
  });

  it('class indices for a sparse loss, and two inputs with two outputs', async () => {
    const build = () => {
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
      const inputs = [tf.input({ shape: [4] }), tf.input({ shape: [2, 2] })];
      const [flat, square] = inputs;
      if (!flat || !square) throw new Error('two inputs');
      const joined = tf.layers
        .concatenate()
        .apply([flat, tf.layers.flatten().apply(square)] as never) as typeof flat;
      const outputs = [
        tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer }).apply(joined),
        tf.layers.dense({ units: 1, kernelInitializer }).apply(joined),
      ] as (typeof flat)[];
      const model = tf.model({ inputs, outputs });
      model.compile({
        optimizer: tf.train.adam(0.05),
        loss: ['sparseCategoricalCrossentropy', 'meanSquaredError'],
      });
      return model;
    };
    const square = noise(COUNT * 4, 7);
    const classes = Float32Array.from({ length: COUNT }, (_, i) => i % 3);
    const heights = noise(COUNT, 8);
    const xs = [tensors.xs, tf.tensor3d(square, [COUNT, 2, 2])];
    const ys = [tf.tensor2d(classes, [COUNT, 1]), tf.tensor2d(heights, [COUNT, 1])];
    const args = { epochs: 2, batchSize: 10, shuffle: false, verbose: 0 } as const;
    const [plain, ours, fitted] = [build(), build(), build()];
    const expected = await plain.fit(xs, ys, args);
    const answer = await fit(ours, xs, ys, { tf, ...args, tuner: { policy: 'fixed' } });
    const names = (keys: string[]) => keys.map((key) => key.replace(/\d+/, ''));
    expect(names(Object.keys(answer.history))).toEqual(names(Object.keys(expected.history)));
    expect(answer.history['loss']?.at(-1)).toBeCloseTo(Number(expected.history['loss']?.at(-1)), 5);
    const source = { xs: [rows.xs, square], ys: [classes, heights] };
    const tuned = batchwise(tf, { source, policy: 'fixed', batchSize: 10, shuffle: false });
    await fitted.fitDataset(tuned.dataset, { epochs: 2, verbose: 0, callbacks: [tuned.callback] });
    const flat = (model: typeof plain) => weightsOf(model as unknown as ReturnType<typeof classifier>);
    expect(furthest(await flat(plain), await flat(ours))).toBeLessThan(1e-6);
    expect(furthest(await flat(plain), await flat(fitted))).toBeLessThan(1e-6);
  });
});
