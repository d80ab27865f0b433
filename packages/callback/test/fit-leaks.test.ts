import { tfjsBackend } from '@batchwise/backend';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { fit, type FitArgs } from '../src/index.ts';
import { brittleModel, brittleObserver, HOOKS, PASSES, shapeOf, throwingIn } from './leaking.ts';
import { always, classifier, loadTf, noise, tensorsOf, type Model } from './support.ts';

const tf = await loadTf();
const { xs, ys } = tensorsOf(tf, 96);
const controller = always({ batchSize: 16, learningRateScale: 1.5 }, ['loss', 'seconds', 'gradient']);
const args = { tf, epochs: 3, batchSize: 16, verbose: 0, validationSplit: 0.25 } as const;

/** A model whose optimizer has its slots already, which stay. */
async function warmModel(optimizer: Parameters<typeof classifier>[1] = tf.train.adam(0.01)): Promise<Model> {
  const model = classifier(tf, optimizer);
  const small = { xs: tf.slice(xs, 0, 4), ys: tf.slice(ys, 0, 4) };
  await model.trainOnBatch(small.xs, small.ys);
  tf.dispose(small);
  return model;
}

const isTraining = (model: Model): boolean =>
  (model as unknown as { model: { isTraining: boolean } }).model.isTraining;

const run = (model: Model, { tuner, ...rest }: Pick<FitArgs, 'callbacks' | 'classWeight' | 'tuner'> = {}) =>
  fit(model, xs, ys, { ...args, ...rest, tuner: { controller, ...tuner } });

describe('nothing is left of fit, and the optimizer is as it was', () => {
  const optimizers = { adam: () => tf.train.adam(0.01), sgd: () => tf.train.sgd(0.1) };

  it.each(['adam', 'sgd'] as const)('after success and an early stop, with %s', async (name) => {
    const model = await warmModel(optimizers[name]());
    const before = shapeOf(model.optimizer);
    await expectNoLeak(tf, () => run(model));
    const callbacks = tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 100 });
    await expectNoLeak(tf, async () => {
      const { epoch } = await run(model, { callbacks });
      expect(epoch).toEqual([0, 1]);
    });
    expect(shapeOf(model.optimizer)).toEqual(before);
  });

  it('after success with weights, by the policy of the house', async () => {
    const model = await warmModel();
    await expectNoLeak(tf, () => fit(model, xs, ys, { ...args, classWeight: { 0: 1, 1: 2, 2: 3 } }));
  });

  it('of tensors that were brought into shape, after success and a failure', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] });
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const flat = tf.tensor1d(noise(96, 3));
    const brought = (callbacks: FitArgs['callbacks'] = []) =>
      fit(model, xs, flat, { ...args, validationData: [xs, flat], callbacks, tuner: { controller } });
    await expectNoLeak(tf, () => brought());
    await expect(expectNoLeak(tf, () => brought([throwingIn(tf, 'onEpochEnd')]))).rejects.toThrow('planted');
    expect(flat.isDisposed).toBe(false);
  });

  it('after an abort in the middle of an epoch, which is told of what was trained', async () => {
    const model = await warmModel();
    const before = shapeOf(model.optimizer);
    const signal = { aborted: false };
    const ends: string[] = [];
    const callbacks = {
      // Of four batches and the rest of an epoch.
      onBatchEnd: (batch: number) => {
        ends.push(`batch ${batch}`);
        signal.aborted = batch === 2;
      },
      onEpochEnd: (epoch: number, logs?: object) => void ends.push(`${epoch}:${Object.keys(logs ?? {})}`),
      onTrainEnd: () => void ends.push('train'),
    };
    await expectNoLeak(tf, () => run(model, { callbacks: callbacks as never, tuner: { signal } }));
    expect(ends).toEqual(['batch 0', 'batch 1', 'batch 2', '0:loss,acc', 'train']);
    expect(shapeOf(model.optimizer)).toEqual(before);
    expect(isTraining(model)).toBe(false);
  });

  it.each(HOOKS)('after a callback that throws in %s', async (hook) => {
    const model = await warmModel();
    const before = shapeOf(model.optimizer);
    const failing = expectNoLeak(tf, () => run(model, { callbacks: [throwingIn(tf, hook)] }));
    await expect(failing).rejects.toThrow(`planted in ${hook}`);
    expect(shapeOf(model.optimizer)).toEqual(before);
    expect(isTraining(model)).toBe(false);
    await expectNoLeak(tf, () => run(model));
  });

  it('after an observer that throws', async () => {
    const model = await warmModel();
    const before = shapeOf(model.optimizer);
    const failing = expectNoLeak(tf, () => run(model, { tuner: { observers: [brittleObserver()] } }));
    await expect(failing).rejects.toMatchObject({ code: 'observerFailed' });
    expect(shapeOf(model.optimizer)).toEqual(before);
    expect(isTraining(model)).toBe(false);
  });

  it.each(PASSES)('after a %s pass that throws', async (where) => {
    const brittle = brittleModel(tf, where);
    const { model } = brittle;
    await expectNoLeak(tf, () => run(model));
    const before = shapeOf(model.optimizer);
    brittle.fails = true;
    await expect(expectNoLeak(tf, () => run(model))).rejects.toThrow(`planted in ${where}`);
    expect(shapeOf(model.optimizer)).toEqual(before);
    brittle.fails = false;
    await expectNoLeak(tf, () => run(model));
  });

  it('after data and weights that do not fit', async () => {
    const model = await warmModel();
    const one = tf.ones([5, 3]);
    for (const wrong of [
      () => fit(model, one, ys, args),
      () => fit(model, xs, ys, { ...args, classWeight: { 0: 1 } }),
      () => fit(model, xs, ys, { ...args, sampleWeight: one }),
    ])
      await expect(expectNoLeak(tf, wrong)).rejects.toThrow();
    one.dispose();
    expect(tfjsBackend(tf, model).name).toBe('cpu');
  });

  it('and the data stay with the user', async () => {
    await run(await warmModel());
    expect([xs.isDisposed, ys.isDisposed]).toEqual([false, false]);
  });
});
