import type { LayersTf } from '@batchwise/backend/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE } from '../native-tensorflow.ts';
import { countLoads } from './count-loads.ts';
import { classifier, compiled, NETWORKS } from './models.ts';
import {
  batchOf,
  furthest,
  noise,
  step,
  stockStep,
  tracedBackend,
  weightsOf,
  type Model,
} from './training.ts';

const STEPS = 100;

describe.skipIf(WHY_NO_NATIVE)('a hundred traced steps are those of trainOnBatch', () => {
  let tf: LayersTf;
  beforeAll(async () => {
    ({ tf } = await nativeTensorflow());
  });
  const optimizers = {
    sgd: () => tf.train.sgd(0.05),
    momentum: () => tf.train.momentum(0.02, 0.9),
    nesterov: () => tf.train.momentum(0.02, 0.9, true),
    adam: () => tf.train.adam(0.01),
    adamax: () => tf.train.adamax(0.01, 0.9, 0.999, 1e-7, 0.01),
    rmsprop: () => tf.train.rmsprop(0.01),
    'centered rmsprop': () => tf.train.rmsprop(0.005, 0.9, 0.5, 1e-14, true),
    adagrad: () => tf.train.adagrad(0.05),
    adadelta: () => tf.train.adadelta(0.1),
  };

  /** The largest difference of a loss. */
  async function compare(theirs: Model, ours: Model, given: Parameters<typeof batchOf>[2] = {}) {
    const { backend, said } = tracedBackend(tf, ours);
    let furthestLoss = 0;
    for (let i = 0; i < STEPS; i += 1) {
      const batch = batchOf(12, i % 20, given);
      const loss = await stockStep(tf, theirs, batch);
      furthestLoss = Math.max(furthestLoss, Math.abs((await step(backend, batch)) - loss));
    }
    await backend.endRun();
    return { furthestLoss, said };
  }

  it.each(Object.keys(optimizers) as (keyof typeof optimizers)[])('with %s', async (name) => {
    const [theirs, ours] = [classifier(tf, optimizers[name]()), classifier(tf, optimizers[name]())];
    const { furthestLoss, said } = await compare(theirs, ours);
    expect(furthestLoss).toBeLessThan(1e-5);
    expect([said('gradient')?.status, said('update')?.status]).toEqual(['traced', 'traced']);
    expect(ours.optimizer.iterations).toBe(STEPS);
    const before = await weightsOf(theirs);
    expect(furthest(before, await weightsOf(ours))).toBeLessThan(1e-5);
    // The optimizer has all that it needs to go on by itself.
    for (let i = 0; i < 5; i += 1)
      for (const model of [theirs, ours]) await stockStep(tf, model, batchOf(12, i));
    expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-5);
    expect(furthest(before, await weightsOf(theirs))).toBeGreaterThan(1e-3);
  });

  it.each(Object.keys(NETWORKS) as (keyof typeof NETWORKS)[])('of %s', async (name) => {
    const { shape, layers } = NETWORKS[name];
    const [theirs, ours] = [compiled(tf, layers(tf)), compiled(tf, layers(tf))];
    const { furthestLoss, said } = await compare(theirs, ours, { shape });
    expect(said('gradient')).toMatchObject({ status: 'traced' });
    expect(furthestLoss).toBeLessThan(1e-5);
    // Moving averages are among the weights.
    expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-4);
  });

  it.each(Object.keys(NETWORKS) as (keyof typeof NETWORKS)[])('of %s, at sizes that change', async (name) => {
    const { shape, layers } = NETWORKS[name];
    const [theirs, ours] = [compiled(tf, layers(tf)), compiled(tf, layers(tf))];
    const { backend, events } = tracedBackend(tf, ours);
    const loads = countLoads(tf);
    const sizes = [12, 32, 7, 20];
    for (let i = 0; i < 6 * sizes.length; i += 1) {
      const batch = batchOf(sizes[(i >> 1) % sizes.length] ?? NaN, i % 20, { shape });
      const loss = await stockStep(tf, theirs, batch);
      expect(Math.abs((await step(backend, batch)) - loss)).toBeLessThan(1e-5);
    }
    const traced = events.filter(({ part, status }) => part === 'gradient' && status === 'traced');
    expect(traced).toHaveLength(sizes.length);
    // TensorFlow.js adds up the gradient of a repeated tensor piece by piece, as many as there are examples.
    const isOfOneSize = name.startsWith('layer normalisation');
    expect(loads.stop()).toBe(isOfOneSize ? 1 + sizes.length : 2);
    await backend.endRun();
    expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-4);
  });

  it('of an embedding, with penalties on its weights', async () => {
    const build = () =>
      compiled(tf, [
        tf.layers.embedding({
          inputDim: 9,
          outputDim: 4,
          inputLength: 5,
          embeddingsInitializer: tf.initializers.glorotUniform({ seed: 1 }),
          embeddingsRegularizer: tf.regularizers.l1l2({ l1: 0.01, l2: 0.02 }),
        }),
        tf.layers.flatten(),
        tf.layers.dense({
          units: 3,
          activation: 'softmax',
          kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }),
        }),
      ]);
    const [theirs, ours] = [build(), build()];
    const { backend, said } = tracedBackend(tf, ours);
    for (let i = 0; i < 30; i += 1) {
      const words = Int32Array.from(noise(60, i), (value) => Math.floor((value + 1) * 4.4));
      const { ys } = batchOf(12, i);
      const batch = { xs: { data: words, shape: [12, 5] }, ys };
      const loss = await stockStep(tf, theirs, {
        ...batch,
        xs: { ...batch.xs, data: Float32Array.from(words) },
      });
      expect(Math.abs((await step(backend, batch)) - loss)).toBeLessThan(1e-5);
    }
    expect(said('gradient')).toMatchObject({ status: 'traced' });
    await backend.endRun();
  });

  it('of two inputs and two outputs', async () => {
    const build = () => {
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
      const inputs = [tf.input({ shape: [4] }), tf.input({ shape: [2] })];
      const joined = tf.layers.concatenate().apply(inputs) as ReturnType<LayersTf['input']>;
      const outputs = [3, 1].map(
        (units) =>
          tf.layers.dense({ units, kernelInitializer }).apply(joined) as ReturnType<LayersTf['input']>,
      );
      const model = tf.model({ inputs, outputs });
      model.compile({ optimizer: tf.train.adam(0.01), loss: ['meanSquaredError', 'meanAbsoluteError'] });
      return model;
    };
    const rows = (width: number, seed: number) => ({ data: noise(6 * width, seed), shape: [6, width] });
    const [theirs, ours] = [build(), build()];
    const { backend, said } = tracedBackend(tf, ours);
    for (let i = 0; i < 30; i += 1) {
      const batch = { xs: [rows(4, i), rows(2, i + 50)], ys: [rows(3, i + 100), rows(1, i + 150)] };
      const loss = await stockStep(tf, theirs, batch);
      expect(Math.abs((await step(backend, batch)) - loss)).toBeLessThan(1e-5);
    }
    expect(said('gradient')).toMatchObject({ status: 'traced' });
    expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-5);
    await backend.endRun();
  });
});
