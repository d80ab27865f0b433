import { afterEach, describe, expect, it, vi } from 'vitest';
import { fit, type FitArgs } from '../src/index.ts';
import { recording, rounded, roundedHistory, type Told } from './recording.ts';
import { classifier, furthest, loadTf, tensorsOf, weightsOf } from './support.ts';

/*
 * Each option of ModelFitArgs: the same training by model.fit and by fit at a fixed batch size.
 */
const tf = await loadTf();
const COUNT = 48;
const { xs, ys } = tensorsOf(tf, COUNT);
const held = tensorsOf(tf, 30, 2);

type Args = Omit<FitArgs, 'tf' | 'tuner' | 'sampleWeight'>;

/** `model.fit` tells the size of a batch at its end only; its documentation, and `fit`, at its beginning too. */
const withoutBeginnings = (told: readonly Told[]): Told[] =>
  told.map(([hook, index, logs]) => [hook, index, hook === 'onBatchBegin' ? {} : logs]);

/** Both trainings, with what they answered and what their callbacks were told. */
async function both(args: Args = {}) {
  const all = { epochs: 3, batchSize: 12, verbose: 0, shuffle: false, ...args } as const;
  const [plain, tuned] = [classifier(tf, tf.train.adam(0.02)), classifier(tf, tf.train.adam(0.02))];
  const [theirs, ours] = [recording(tf), recording(tf)];
  const expected = await plain.fit(xs, ys, { ...all, callbacks: [theirs.callback] });
  const tuner = { policy: 'fixed' } as const;
  const actual = await fit(tuned, xs, ys, { tf, ...all, callbacks: [ours.callback], tuner });
  expect(furthest(await weightsOf(plain), await weightsOf(tuned))).toBeLessThan(1e-6);
  expect(rounded(withoutBeginnings(ours.told))).toEqual(rounded(withoutBeginnings(theirs.told)));
  expect(roundedHistory(actual)).toEqual(roundedHistory(expected));
  expect(Object.keys(actual.history)).toEqual(Object.keys(expected.history));
  return { history: actual, told: ours.told, model: tuned };
}

afterEach(() => vi.restoreAllMocks());

describe('fit does what model.fit does', () => {
  it('batchSize', async () => {
    const { told } = await both({ batchSize: 16 });
    expect(told.filter(([hook]) => hook === 'onBatchEnd').map(([, , { size }]) => size)).toEqual(
      Array.from({ length: 9 }, () => 16),
    );
    for (const batchSize of [0, -1, 1.5]) {
      await expect(classifier(tf, 'sgd').fit(xs, ys, { batchSize })).rejects.toThrow(/positive integer/);
      await expect(fit(classifier(tf, 'sgd'), xs, ys, { tf, batchSize })).rejects.toThrow(
        `batchSize is ${batchSize}. Give a whole number above 0.`,
      );
    }
  });

  it('epochs', async () => {
    expect((await both({ epochs: 5 })).history.epoch).toEqual([0, 1, 2, 3, 4]);
    expect((await both({ epochs: 0 })).history.epoch).toEqual([]);
    const one = await fit(classifier(tf, 'sgd'), xs, ys, { tf, verbose: 0 });
    expect(one.epoch).toEqual([0]);
  });

  it('callbacks: the same calls in the same order with the same logs', async () => {
    const { told } = await both();
    expect(told.find(([hook]) => hook === 'onBatchBegin')).toEqual([
      'onBatchBegin',
      0,
      { batch: 0, size: 12 },
    ]);
    expect(told.map(([hook]) => hook).slice(-2)).toEqual(['onEpochEnd', 'onTrainEnd']);
  });

  it('callbacks as a plain object, with early stopping beside it', async () => {
    const calls: string[] = [];
    const model = classifier(tf, tf.train.sgd(0.1));
    const plain = {
      onEpochEnd: async (epoch: number, logs?: object) =>
        void calls.push(`${epoch}:${Object.keys(logs ?? {})}`),
    };
    const stopping = tf.callbacks.earlyStopping({ monitor: 'val_loss', minDelta: 10 });
    const { epoch } = await fit(model, xs, ys, {
      tf,
      epochs: 9,
      verbose: 0,
      validationSplit: 0.25,
      callbacks: [plain, stopping] as never,
    });
    expect(epoch).toEqual([0, 1]);
    expect(calls).toEqual(['0:val_loss,val_acc,loss,acc', '1:val_loss,val_acc,loss,acc']);
  });

  it('stopTraining in the middle of an epoch', async () => {
    const run = async (
      start: (model: ReturnType<typeof classifier>, callbacks: object) => Promise<unknown>,
    ) => {
      const model = classifier(tf, tf.train.sgd(0.1));
      const ends: unknown[] = [];
      const answer = await start(model, {
        onBatchEnd: (batch: number) => void (batch === 1 && (model.stopTraining = true)),
        onEpochEnd: (epoch: number, logs: object) => void ends.push([epoch, Object.keys(logs)]),
      });
      return { ends, weights: await weightsOf(model), epoch: (answer as { epoch: number[] }).epoch };
    };
    const args = { epochs: 3, batchSize: 12, shuffle: false, verbose: 0, validationSplit: 0.25 };
    const theirs = await run((model, callbacks) => model.fit(xs, ys, { ...args, callbacks }));
    const tuner = { policy: 'fixed' } as const;
    const ours = await run((model, callbacks) => fit(model, xs, ys, { tf, ...args, callbacks, tuner }));
    expect(ours.ends).toEqual(theirs.ends);
    expect(ours.epoch).toEqual(theirs.epoch);
    expect(furthest(ours.weights, theirs.weights)).toBeLessThan(1e-6);
  });

  it.each([0.25, 0.5, 0, 1])('validationSplit %d', async (validationSplit) => {
    const { history } = await both({ validationSplit });
    expect(Object.keys(history.history).includes('val_loss')).toBe(validationSplit % 1 !== 0);
  });

  it('validationData, which overrides validationSplit', async () => {
    const validationData: [typeof xs, typeof ys] = [held.xs, held.ys];
    const { history } = await both({ validationData, validationSplit: 0.5 });
    const { history: alone } = await both({ validationData });
    expect(history.history['val_loss']).toEqual(alone.history['val_loss']);
    const weighted = [held.xs, held.ys, held.ys] as never;
    await expect(classifier(tf, 'sgd').fit(xs, ys, { validationData: weighted })).rejects.toThrow(
      'sample weights is not supported',
    );
    await expect(fit(classifier(tf, 'sgd'), xs, ys, { tf, validationData: weighted })).rejects.toThrow(
      'validationData has weights, which TensorFlow.js does not support',
    );
  });

  it('shuffle: in a new order each epoch that the seed decides, each example once', async () => {
    const numbered = tf.tensor2d(Array.from({ length: COUNT }, (_, i) => [i, 0, 0, 0]));
    const seen: number[] = [];
    const spyLoss = (target: typeof ys, output: typeof ys) => {
      seen.push(...target.dataSync());
      return tf.losses.meanSquaredError(target, output);
    };
    const run = async (args: Partial<FitArgs>) => {
      seen.length = 0;
      const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] });
      model.compile({ optimizer: 'sgd', loss: spyLoss as never });
      const target = tf.slice(numbered, [0, 0], [COUNT, 1]);
      await fit(model, numbered, target, { tf, epochs: 2, batchSize: 48, verbose: 0, ...args });
      return [seen.slice(0, COUNT), seen.slice(COUNT)] as const;
    };
    const ascending = Array.from({ length: COUNT }, (_, i) => i);
    const policy = { policy: 'fixed' } as const;
    expect(await run({ shuffle: false, tuner: policy })).toEqual([ascending, ascending]);
    const [first, second] = await run({ tuner: policy });
    for (const order of [first, second]) expect([...order].sort((a, b) => a - b)).toEqual(ascending);
    expect(first).not.toEqual(ascending);
    expect(second).not.toEqual(first);
    expect((await run({ shuffle: true, tuner: { ...policy, seed: 0 } }))[0]).toEqual(first);
    expect((await run({ tuner: { ...policy, seed: 1 } }))[0]).not.toEqual(first);
    const fancy = { tf, shuffle: 'batch' as never };
    await expect(classifier(tf, 'sgd').fit(xs, ys, fancy)).rejects.toThrow('batch shuffling is not');
    await expect(fit(classifier(tf, 'sgd'), xs, ys, fancy)).rejects.toThrow(
      'TensorFlow.js does not implement',
    );
  });

  it('classWeight', async () => {
    const { history } = await both({ classWeight: { 0: 1, 1: 4, 2: 0.5 } });
    const { history: named } = await both({ classWeight: [{ 0: 1, 1: 4, 2: 0.5 }] });
    expect(named.history).toEqual(history.history);
    expect((await both()).history.history['loss']).not.toEqual(history.history['loss']);
    const classWeight = { 0: 1, 1: 1 };
    for (const run of [
      () => classifier(tf, 'sgd').fit(xs, ys, { classWeight }),
      () => fit(classifier(tf, 'sgd'), xs, ys, { tf, classWeight }),
    ])
      await expect(run()).rejects.toThrow('classWeight must contain all classes in the training data');
  });

  it('initialEpoch', async () => {
    expect((await both({ initialEpoch: 3, epochs: 5 })).history.epoch).toEqual([3, 4]);
    expect((await both({ initialEpoch: 5, epochs: 5 })).history.epoch).toEqual([]);
  });

  it('yieldEvery', async () => {
    const turns: number[][] = [];
    for (const run of [
      (args: object) => classifier(tf, 'sgd').fit(xs, ys, args),
      (args: object) => fit(classifier(tf, 'sgd'), xs, ys, { tf, ...args, tuner: { policy: 'fixed' } }),
    ]) {
      const yields: number[] = [];
      // A clock of its own makes every batch long enough.
      let now = 0;
      const callbacks = {
        onYield: (epoch: number, batch: number) => void yields.push(epoch * 100 + batch),
        nowFunc: () => (now += 1000),
      };
      await run({ epochs: 2, batchSize: 12, verbose: 0, callbacks, yieldEvery: 100 });
      turns.push(yields);
    }
    expect(turns[0]).toEqual([0, 1, 2, 3, 100, 101, 102, 103]);
    expect(turns[1]).toEqual(turns[0]);
    const callbacks = { onYield: () => undefined };
    for (const run of [
      () => classifier(tf, 'sgd').fit(xs, ys, { callbacks, yieldEvery: 'never' }),
      () => fit(classifier(tf, 'sgd'), xs, ys, { tf, callbacks, yieldEvery: 'never' }),
    ])
      await expect(run()).rejects.toThrow('yieldEvery is `never`');
  });

  it('verbose: nothing more than the summary, and a line for each epoch where there is a progress bar', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await both({ verbose: 0 });
    expect(log.mock.calls).toEqual([]);
    await both({ verbose: 1 });
    expect(log.mock.calls.flat().join('\n')).toMatch(/^Batchwise: 144 examples in 12 updates/);
    log.mockClear();
    const node = { ...tf, node: {} };
    const model = classifier(tf, tf.train.sgd(0));
    await fit(model, xs, ys, { tf: node, epochs: 2, validationSplit: 0.5, tuner: { summary: false } });
    expect(log.mock.calls.flat()).toEqual([
      expect.stringMatching(/^Epoch 1 \/ 2: val_loss=[\d.]+ val_acc=[\d.]+ loss=[\d.]+ acc=[\d.]+$/),
      expect.stringMatching(/^Epoch 2 \/ 2: /),
    ]);
  });

  it.each(['stepsPerEpoch', 'validationSteps'])(
    '%s, which model.fit leaves out of account, is refused',
    async (name) => {
      const args = { epochs: 2, verbose: 0, [name]: 1 };
      const { history } = await classifier(tf, 'sgd').fit(xs, ys, args);
      expect(history['loss']).toHaveLength(2);
      await expect(fit(classifier(tf, 'sgd'), xs, ys, { tf, ...args })).rejects.toThrow(
        `${name} is 1, which model.fit leaves out of account.`,
      );
    },
  );

  it('refuses data that do not fit, in the words of model.fit, and a fit inside a fit', async () => {
    const wrong = tf.ones([COUNT, 5]);
    const [theirs, ours] = await Promise.all(
      [
        () => classifier(tf, 'sgd').fit(wrong, ys, {}),
        () => fit(classifier(tf, 'sgd'), wrong, ys, { tf }),
      ].map((run) => run().then(String, (error: Error) => error.message.replace(/\d+_input/, ''))),
    );
    expect(ours?.replace(/dense_Dense\d+/, '')).toBe(theirs?.replace(/dense_Dense\d+/, ''));
    const model = classifier(tf, 'sgd');
    const callbacks = { onEpochEnd: () => fit(model, xs, ys, { tf }).then(() => undefined) };
    await expect(fit(model, xs, ys, { tf, callbacks, verbose: 0 })).rejects.toThrow(
      'Cannot start training because another fit() call is ongoing.',
    );
  });
});

describe('sampleWeight, which TensorFlow.js lacks', () => {
  it('multiplies the loss of each example, times its class weight', async () => {
    const values = Array.from({ length: COUNT }, (_, i) => (i % 5) / 2);
    const classWeight = { 0: 2, 1: 1, 2: 3 };
    const classes = [...(await tf.argMax(ys, 1).data())];
    const product = tf.tensor1d(values.map((value, i) => value * ([2, 1, 3][classes[i] ?? NaN] ?? NaN)));
    const [byHand, ours] = [classifier(tf, tf.train.adam(0.02)), classifier(tf, tf.train.adam(0.02))];
    const optimizer = tf.train.adam(0.02);
    for (let epoch = 0; epoch < 2; epoch += 1)
      for (let from = 0; from < COUNT; from += 12)
        optimizer.minimize(() => {
          const [x, y, w] = [tf.slice(xs, from, 12), tf.slice(ys, from, 12), tf.slice(product, from, 12)];
          const loss = tf.metrics.categoricalCrossentropy(y, byHand.apply(x, { training: true }) as typeof y);
          return tf.mean(tf.mul(loss, w));
        });
    await fit(ours, xs, ys, {
      tf,
      epochs: 2,
      batchSize: 12,
      verbose: 0,
      shuffle: false,
      classWeight,
      sampleWeight: tf.tensor1d(values),
      tuner: { policy: 'fixed', ceiling: { batchSize: 5 } },
    });
    expect(furthest(await weightsOf(byHand), await weightsOf(ours))).toBeLessThan(1e-6);
  });

  it('is refused where it does not fit', async () => {
    const model = classifier(tf, 'sgd');
    for (const [sampleWeight, message] of [
      [tf.ones([5]), 'sampleWeight has the shape [5] for 48 examples. Give one weight per example.'],
      [[tf.ones([COUNT]), tf.ones([COUNT])], 'sampleWeight has 2 tensors for 1 outputs.'],
    ] as const)
      await expect(fit(model, xs, ys, { tf, sampleWeight: sampleWeight as never })).rejects.toThrow(message);
    await expect(model.fit(xs, ys, { sampleWeight: tf.ones([COUNT]) })).rejects.toThrow('not supported yet');
  });
});
