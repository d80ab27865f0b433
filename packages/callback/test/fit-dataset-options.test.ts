import { expectNoLeak } from '@batchwise/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { batchwise } from '../src/index.ts';
import { recording, rounded, roundedHistory } from './recording.ts';
import { always, classifier, furthest, loadData, loadTf, rowsOf, tensorsOf, weightsOf } from './support.ts';

/*
 * Each option of ModelFitDatasetArgs: the same training with batches of the data set's own, and with the tuned data set at
 * a fixed batch size.
 */
const tf = await loadTf();
const data = await loadData();
const COUNT = 48;
const BATCH = 12;
const { xs, ys } = rowsOf(COUNT);
const held = tensorsOf(tf, 30, 2);

const singles = () =>
  data.zip({
    xs: data.array(Array.from({ length: COUNT }, (_, i) => [...xs.subarray(i * 4, i * 4 + 4)])),
    ys: data.array(Array.from({ length: COUNT }, (_, i) => [...ys.subarray(i * 3, i * 3 + 3)])),
  });

type Args = Parameters<ReturnType<typeof classifier>['fitDataset']>[1];

/** Both trainings, with what they answered and what their callbacks were told. */
async function both(args: Partial<Args>, { repeat = false } = {}) {
  const dataset = () => (repeat ? singles().repeat() : singles());
  const all = { epochs: 3, verbose: 0, ...args } as Args;
  const [plain, tuned] = [classifier(tf, tf.train.adam(0.02)), classifier(tf, tf.train.adam(0.02))];
  const [told, toldTuned] = [recording(tf), recording(tf)];
  const expected = await plain.fitDataset(dataset().batch(BATCH), { ...all, callbacks: [told.callback] });
  const own = batchwise(tf, { source: dataset(), policy: 'fixed', batchSize: BATCH });
  const callbacks = [own.callback, toldTuned.callback];
  const actual = await tuned.fitDataset(own.dataset, { ...all, callbacks } as never);
  expect(furthest(await weightsOf(plain), await weightsOf(tuned))).toBeLessThan(1e-6);
  expect(rounded(toldTuned.told)).toEqual(rounded(told.told));
  expect(roundedHistory(actual)).toEqual(roundedHistory(expected));
  return { history: expected, tuned: own, told: told.told, model: tuned };
}

afterEach(() => vi.restoreAllMocks());

describe('fitDataset with the tuned data set does what it does with its own', () => {
  it('epochs', async () => {
    const { history } = await both({ epochs: 4 });
    expect(history.epoch).toEqual([0, 1, 2, 3]);
    await expect(both({ epochs: 0 })).rejects.toThrow('config.epochs is expected to be a positive');
  });

  it('callbacks: the same calls in the same order with the same logs', async () => {
    const { told } = await both({});
    expect(told.filter(([hook]) => hook === 'onBatchEnd')).toHaveLength(12);
  });

  it('batchesPerEpoch, past the end of the data and over a data set that ends', async () => {
    const { history, told } = await both({ batchesPerEpoch: 5, epochs: 2 }, { repeat: true });
    expect(told.filter(([hook]) => hook === 'onBatchEnd')).toHaveLength(10);
    expect(history.epoch).toEqual([0, 1]);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    await both({ batchesPerEpoch: 3, epochs: 2 });
    const [theirs, ours] = warn.mock.calls.map(([text]) => String(text));
    expect(theirs).toContain('your dataset iterator ran out of data after 1 batches');
    expect(ours).toBe(theirs);
  });

  it('batchesPerEpoch over tensors goes on with their next epoch', async () => {
    const tensors = tensorsOf(tf, COUNT);
    const [counted, whole] = [classifier(tf, tf.train.sgd(0.1)), classifier(tf, tf.train.sgd(0.1))];
    for (const [model, args] of [
      [counted, { epochs: 2, batchesPerEpoch: 6 }],
      [whole, { epochs: 3 }],
    ] as const) {
      const tuned = batchwise(tf, { source: tensors, policy: 'fixed', batchSize: BATCH, seed: 3 });
      await model.fitDataset(tuned.dataset, { ...args, verbose: 0, callbacks: [tuned.callback] });
      expect(tuned.history.epoch).toHaveLength(args.epochs);
    }
    expect(furthest(await weightsOf(counted), await weightsOf(whole))).toBeLessThan(1e-7);
  });

  it('validationData as tensors, validationBatchSize', async () => {
    const { history } = await both({ validationData: [held.xs, held.ys], validationBatchSize: 7 });
    expect(Object.keys(history.history)).toEqual(['val_loss', 'val_acc', 'loss', 'acc']);
  });

  it('validationData as a data set, validationBatches', async () => {
    const validationData = singles().batch(10);
    await both({ validationData, validationBatches: 2 });
    await both({ validationData });
  });

  it('initialEpoch', async () => {
    const { history, tuned } = await both({ initialEpoch: 3, epochs: 5 });
    expect(history.epoch).toEqual([3, 4]);
    expect(tuned.history.epoch).toEqual([3, 4]);
  });

  it('classWeight', async () => {
    const { history } = await both({ classWeight: { 0: 1, 1: 4, 2: 0.5 } });
    const { history: unweighted } = await both({});
    expect(history.history['loss']).not.toEqual(unweighted.history['loss']);
  });

  it('yieldEvery, which TensorFlow.js heeds for plain objects only: the event loop turns all the same', async () => {
    await both({ yieldEvery: 'epoch' });
    const model = classifier(tf, tf.train.sgd(0.1));
    let now = 0;
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const clock = () => (now += 0.02);
    const tuned = batchwise(tf, { source: singles(), policy: 'fixed', batchSize: BATCH, clock });
    await model.fitDataset(tuned.dataset, { epochs: 30, verbose: 0, callbacks: [tuned.callback] });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  it('verbose: callbacks that are registered for it, and the summary', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    let registered = 0;
    tf.registerCallbackConstructor(
      1,
      class extends tf.Callback {
        override async onTrainBegin() {
          registered += 1;
        }
      } as never,
    );
    await both({ verbose: 0 });
    expect([registered, log.mock.calls]).toEqual([0, []]);
    await both({ verbose: 1 });
    expect(registered).toBe(2);
    expect(log.mock.calls.flat().join()).toContain('Batchwise: 144 examples in 12 updates');
  });
});

describe('the batches of a measured step', () => {
  it('are two for TensorFlow.js, and their mean is the epoch', async () => {
    const tuned = batchwise(tf, {
      source: tensorsOf(tf, COUNT),
      shuffle: false,
      controller: always({ batchSize: 24 }, ['loss', 'gradient']),
    });
    const { callback, told } = recording(tf);
    const model = classifier(tf, tf.train.sgd(0));
    const history = await expectNoLeak(tf, () =>
      model.fitDataset(tuned.dataset, { epochs: 1, verbose: 0, callbacks: [tuned.callback, callback] }),
    );
    expect(told.filter(([hook]) => hook === 'onBatchEnd').map(([, , { size }]) => size)).toEqual([
      12, 12, 12, 12,
    ]);
    const all = tensorsOf(tf, COUNT);
    const [loss] = [model.evaluate(all.xs, all.ys)].flat();
    expect(history.history['loss']?.[0]).toBeCloseTo((await loss?.data())?.[0] ?? NaN, 5);
    expect(tuned.history.history.batchSize).toEqual([24]);
  });
});
