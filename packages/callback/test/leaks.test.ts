import { gathered, sequential } from '@batchwise/sampler';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise } from '../src/index.ts';
import { brittleModel, brittleObserver, HOOKS, PASSES, shapeOf, throwingIn } from './leaking.ts';
import { always, classifier, loadTf, tensorsOf } from './support.ts';

const tf = await loadTf();
const { xs, ys } = tensorsOf(tf, 96);
const held = tensorsOf(tf, 20, 2);
class Plain extends tf.Callback {}

/** A model whose optimizer has its slots already, which stay. */
async function warmModel(optimizer: Parameters<typeof classifier>[1] = tf.train.adam(0.01)) {
  const model = classifier(tf, optimizer);
  const small = { xs: tf.slice(xs, 0, 4), ys: tf.slice(ys, 0, 4) };
  await model.trainOnBatch(small.xs, small.ys);
  tf.dispose(small);
  return model;
}

const controller = always({ batchSize: 16, learningRateScale: 1.5 }, ['loss', 'seconds', 'gradient']);

const tunedFit = (
  model: ReturnType<typeof classifier>,
  callbacks: (tuned: ReturnType<typeof batchwise>) => unknown,
  options: Partial<Parameters<typeof batchwise>[1]> = {},
) => {
  const tuned = batchwise(tf, { source: { xs, ys }, controller, ...options });
  return model.fitDataset(tuned.dataset, {
    epochs: 3,
    verbose: 0,
    validationData: [held.xs, held.ys],
    callbacks: callbacks(tuned) as never,
  });
};

const gatheredRows = () =>
  gathered(sequential(96), (indices) => ({ xs: { tensor: xs, indices }, ys: { tensor: ys, indices } }));

describe('nothing is left on the device, and the optimizer is as it was', () => {
  const optimizers = { adam: () => tf.train.adam(0.01), sgd: () => tf.train.sgd(0.1) };

  it.each(['adam', 'sgd'] as const)('after fitDataset and after an early stop, with %s', async (name) => {
    const model = await warmModel(optimizers[name]());
    const before = shapeOf(model.optimizer);
    await expectNoLeak(tf, () => tunedFit(model, ({ callback }) => [callback]));
    const stopping = tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 100 });
    await expectNoLeak(tf, async () => {
      const { epoch } = await tunedFit(model, ({ callback }) => [callback, stopping]);
      expect(epoch).toEqual([0, 1]);
    });
    expect(shapeOf(model.optimizer)).toEqual(before);
  });

  it.each(['before', 'after'] as const)(
    'after an abort in the middle of a pair, seen %s it',
    async (when) => {
      const model = await warmModel();
      const before = shapeOf(model.optimizer);
      const signal = { aborted: false };
      const aborting = new Plain();
      let batches = 0;
      aborting.onBatchEnd = async () => void (signal.aborted = ++batches === 3);
      await expectNoLeak(tf, () =>
        tunedFit(model, ({ callback }) => (when === 'before' ? [aborting, callback] : [callback, aborting]), {
          signal,
        }),
      );
      expect(batches).toBe(when === 'before' ? 3 : 4);
      expect(shapeOf(model.optimizer)).toEqual(before);
    },
  );

  const places = HOOKS.flatMap((hook) => [[hook, 'before'] as const, [hook, 'after'] as const]);
  it.each(places)('after a callback that throws in %s, listed %s the tuned one', async (hook, place) => {
    const model = await warmModel();
    const before = shapeOf(model.optimizer);
    const failing = expectNoLeak(tf, () =>
      tunedFit(model, ({ callback }) =>
        place === 'before' ? [throwingIn(tf, hook), callback] : [callback, throwingIn(tf, hook)],
      ),
    );
    await expect(failing).rejects.toThrow(`planted in ${hook}`);
    expect(shapeOf(model.optimizer)).toEqual(before);
    await expectNoLeak(tf, () => tunedFit(model, ({ callback }) => [callback]));
  });

  it('after a batch that is measured on others: after success, and a throw at each of its parts', async () => {
    const model = await warmModel();
    const source = { ...gatheredRows(), independent: gatheredRows() };
    await expectNoLeak(tf, () => tunedFit(model, ({ callback }) => [callback], { source }));
    for (const part of [1, 2, 3, 4]) {
      const callback = new Plain();
      let batches = 0;
      callback.onBatchEnd = async () => {
        if (++batches === part) throw new Error('planted');
      };
      const failing = expectNoLeak(tf, () =>
        tunedFit(model, (tuned) => [tuned.callback, callback], { source }),
      );
      await expect(failing).rejects.toThrow('planted');
    }
  });

  it('after an observer that throws', async () => {
    const model = await warmModel();
    const failing = expectNoLeak(tf, () =>
      tunedFit(model, ({ callback }) => [callback], { observers: [brittleObserver()] }),
    );
    await expect(failing).rejects.toMatchObject({ code: 'observerFailed' });
  });

  it.each(PASSES)('after a %s pass that throws', async (where) => {
    const brittle = brittleModel(tf, where);
    const { model } = brittle;
    const run = () => tunedFit(model, ({ callback }) => [callback]);
    await expectNoLeak(tf, run);
    const before = shapeOf(model.optimizer);
    brittle.fails = true;
    await expect(expectNoLeak(tf, run)).rejects.toThrow(`planted in ${where}`);
    expect(shapeOf(model.optimizer)).toEqual(before);
    brittle.fails = false;
    await expectNoLeak(tf, run);
  });

  it('leaves the source with the user', async () => {
    const model = await warmModel();
    await tunedFit(model, ({ callback }) => [callback]);
    expect([xs.isDisposed, ys.isDisposed]).toEqual([false, false]);
  });
});
