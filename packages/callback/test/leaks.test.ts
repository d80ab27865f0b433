import { tfjsBackend } from '@batchwise/backend';
import { gathered, sequential } from '@batchwise/sampler';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise, fit } from '../src/index.ts';
import { always, classifier, loadTf, tensorsOf } from './support.ts';

const tf = await loadTf();
const { xs, ys } = tensorsOf(tf, 96);
const held = tensorsOf(tf, 20, 2);
class Plain extends tf.Callback {}
const HOOKS = [
  'onTrainBegin',
  'onEpochBegin',
  'onBatchBegin',
  'onBatchEnd',
  'onEpochEnd',
  'onTrainEnd',
] as const;

/** Throws in one hook, in the second epoch and its third batch where it has any. */
function throwing(hook: (typeof HOOKS)[number]) {
  const callback = new Plain();
  let epoch = 0;
  callback.onEpochBegin = async (index: number) => void (epoch = index);
  const hooked = callback[hook].bind(callback);
  const calls = new Map<number, number>();
  callback[hook] = async (index?: unknown) => {
    await hooked(index as never);
    calls.set(epoch, (calls.get(epoch) ?? 0) + 1);
    if (hook.includes('Train') || (epoch === 1 && (hook.includes('Epoch') || calls.get(1) === 3)))
      throw new Error(`planted in ${hook}`);
  };
  return callback;
}

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

/** What an optimizer is, apart from how often it was used. */
const shapeOf = (optimizer: object) => {
  const own = Object.entries(Object.getOwnPropertyDescriptors(optimizer));
  const fields = own.map(([key, { value, get, set }]) => [key, typeof value, typeof get, typeof set]);
  return { fields, rate: (optimizer as { learningRate?: number }).learningRate };
};

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
        place === 'before' ? [throwing(hook), callback] : [callback, throwing(hook)],
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
    const observer = {
      name: 'brittle',
      onStepFinished: ({ step }: { step: number }) => {
        if (step === 3) throw new Error('planted');
      },
    };
    const failing = expectNoLeak(tf, () =>
      tunedFit(model, ({ callback }) => [callback], { observers: [observer] }),
    );
    await expect(failing).rejects.toMatchObject({ code: 'observerFailed' });
  });

  it.each(['forward', 'gradient', 'update'] as const)('after a %s pass that throws', async (where) => {
    let fails = false;
    const planted = () => {
      if (fails) throw new Error(`planted in ${where}`);
    };
    const loss = tf.customGrad((x) => {
      if (where === 'forward') planted();
      return {
        value: tf.mean(tf.square(x as typeof xs)),
        gradFunc: (dy) => {
          if (where === 'gradient') planted();
          return tf.mul(dy, tf.onesLike(x as typeof xs));
        },
      };
    });
    const model = classifier(tf, tf.train.sgd(0.1));
    model.compile({
      optimizer: tf.train.sgd(0.1),
      loss: (target, output) => loss(tf.sub(target, output)),
      metrics: ['accuracy'],
    });
    const own = model.optimizer.applyGradients.bind(model.optimizer);
    if (where === 'update')
      model.optimizer.applyGradients = (gradients) => {
        own(gradients);
        planted();
      };
    const run = () => tunedFit(model, ({ callback }) => [callback]);
    await expectNoLeak(tf, run);
    const before = shapeOf(model.optimizer);
    fails = true;
    await expect(expectNoLeak(tf, run)).rejects.toThrow(`planted in ${where}`);
    expect(shapeOf(model.optimizer)).toEqual(before);
    fails = false;
    await expectNoLeak(tf, run);
  });

  it('leaves the source with the user', async () => {
    const model = await warmModel();
    await tunedFit(model, ({ callback }) => [callback]);
    expect([xs.isDisposed, ys.isDisposed]).toEqual([false, false]);
  });
});

describe('nothing is left of fit', () => {
  const args = { tf, epochs: 3, batchSize: 16, verbose: 0, validationSplit: 0.25 } as const;

  it('after success, an early stop, and with weights', async () => {
    const model = await warmModel();
    await expectNoLeak(tf, () => fit(model, xs, ys, { ...args, tuner: { controller } }));
    const callbacks = tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 100 });
    await expectNoLeak(tf, async () => {
      const { epoch } = await fit(model, xs, ys, { ...args, callbacks, tuner: { controller } });
      expect(epoch).toEqual([0, 1]);
    });
    await expectNoLeak(tf, () => fit(model, xs, ys, { ...args, classWeight: { 0: 1, 1: 2, 2: 3 } }));
  });

  it.each(HOOKS)('after a callback that throws in %s', async (hook) => {
    const model = await warmModel();
    const before = shapeOf(model.optimizer);
    const failing = expectNoLeak(tf, () =>
      fit(model, xs, ys, { ...args, callbacks: [throwing(hook)], tuner: { controller } }),
    );
    await expect(failing).rejects.toThrow(`planted in ${hook}`);
    expect(shapeOf(model.optimizer)).toEqual(before);
    expect((model as unknown as { model: { isTraining: boolean } }).model.isTraining).toBe(false);
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
});
