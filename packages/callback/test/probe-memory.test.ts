import type { Observer } from '@batchwise/core';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise, fit, type BatchwiseOptions } from '../src/index.ts';
import { classifier, loadData, loadTf, rowsOf, tensorsOf, weightsOf } from './support.ts';

const tf = await loadTf();
const data = await loadData();
const COUNT = 1600;
const EPOCHS = 25;
const { xs, ys } = tensorsOf(tf, COUNT);

/** Grows to 64 after the first epoch, whatever the time. */
const tuning = {
  policy: 'schedule',
  growth: { milestones: [{ examples: COUNT, batchSize: 64 }] },
  batchSize: 8,
  summary: false,
} as const;

const microBatches = () => {
  const sizes = new Set<number>();
  const observer: Observer = {
    name: 'sizes',
    onStepFinished: ({ outcome }) => void sizes.add(outcome.microBatchSize),
  };
  return { sizes, observer };
};

async function trained(options: Partial<BatchwiseOptions> = {}, args: object = {}) {
  const model = classifier(tf, tf.train.adam(0.01));
  const tuned = batchwise(tf, { source: { xs, ys }, ...tuning, ...options });
  await model.fitDataset(tuned.dataset, {
    epochs: EPOCHS,
    verbose: 0,
    callbacks: [tuned.callback],
    ...args,
  });
  return { memory: tuned.history.memory, weights: await weightsOf(model), history: tuned.history };
}

describe('memory before the first step', () => {
  it('is obviously enough after one small trial, which leaves no trace in the training', async () => {
    const probed = await trained({ memoryBytes: 1e9 });
    expect(probed.memory?.text).toMatch(
      /^Memory: the largest batch, 64, takes \d+\.\d % of what there is at most\.$/,
    );
    expect(probed.memory?.batchSize).toBeUndefined();
    expect(probed.history.history.batchSize.at(-1)).toBe(64);
    const { memory, weights } = await trained({ ceiling: false });
    expect(memory).toBeUndefined();
    expect(probed.weights).toEqual(weights);
  });

  it('bounds what is on the device at once where it is scarce, in fitDataset and in fit', async () => {
    const small = { epochs: EPOCHS, batchSize: 8, verbose: 0, tf };
    const scarce = () => tf.memory().numBytes + 24_000;
    const [ours, theirs] = [microBatches(), microBatches()];
    const { memory, history } = await trained({ memoryBytes: scarce(), observers: [ours.observer] });
    expect(memory?.batchSize).toBeGreaterThan(8);
    expect(memory?.batchSize).toBeLessThan(64);
    expect(Math.max(...ours.sizes)).toBeLessThanOrEqual(memory?.batchSize ?? NaN);
    expect(history.history.batchSize.at(-1)).toBe(64);
    expect(history.summary()).toContain(memory?.text);
    const { batches } = await fit(classifier(tf, tf.train.adam(0.01)), xs, ys, {
      ...small,
      tuner: { ...tuning, memoryBytes: scarce(), observers: [theirs.observer] },
    });
    expect(batches.memory?.batchSize).toBeLessThan(64);
    expect(Math.max(...theirs.sizes)).toBeLessThanOrEqual(batches.memory?.batchSize ?? NaN);
  });

  it('is tried with copies of the first example of a data set', async () => {
    const rows = rowsOf(COUNT);
    let read = 0;
    const source = data.array(Array.from({ length: COUNT }, (_, i) => i) as never).map((value) => {
      const i = Number(value);
      read += 1;
      const row = (all: Float32Array, width: number) => tf.tensor1d(all.subarray(i * width, (i + 1) * width));
      return { xs: row(rows.xs, 4), ys: row(rows.ys, 3) } as never;
    });
    const model = classifier(tf, tf.train.sgd(0.01));
    const tuned = batchwise(tf, { source: source as never, ...tuning, memoryBytes: 1e9 });
    await expectNoLeak(tf, () =>
      model.fitDataset(tuned.dataset, { epochs: EPOCHS, verbose: 0, callbacks: [tuned.callback] }),
    );
    const { memory } = tuned.history;
    expect(memory?.text).toContain('the largest batch, 64');
    expect(read).toBe(EPOCHS * COUNT + 1);
  });

  it.each([
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['2GB', '"2GB"'],
    [0, '0'],
    [-1, '-1'],
  ])('is not bounded by %s bytes, which is refused', async (given, shown) => {
    const memoryBytes = given as number;
    const error = new RangeError(
      `memoryBytes is ${shown}; give bytes, a finite number above 0, or leave it out.`,
    );
    await expect(trained({ memoryBytes })).rejects.toThrow(error);
    await expect(trained({ memoryBytes, policy: 'fixed' })).rejects.toThrow(error);
    await expect(trained({ memoryBytes, ceiling: { batchSize: 16 } })).rejects.toThrow(error);
    const model = classifier(tf, tf.train.sgd(0.1));
    await expect(fit(model, xs, ys, { tf, verbose: 0, tuner: { memoryBytes } })).rejects.toThrow(error);
    await expect(
      fit(model, xs, ys, { tf, verbose: 0, tuner: { memoryBytes, policy: 'fixed' } }),
    ).rejects.toThrow(error);
  });

  it('is left alone where it would not pay or nobody knows how much to try', async () => {
    const text = async (options: Partial<BatchwiseOptions>, args: object = {}) =>
      (await trained({ memoryBytes: 1e9, ...options }, args)).memory?.text;
    expect(await text({ maxBatchSize: 8 }, { epochs: 1 })).toBe(
      'Memory not probed: the batch does not grow beyond 8.',
    );
    await expect(text({ memoryBytes: 1 })).rejects.toThrow('Not even one example fits in memory.');
    expect(await text({ policy: 'fixed' }, { epochs: 1 })).toBeUndefined();
    expect(await text({}, { epochs: 1, batchesPerEpoch: 10 })).toBeUndefined();
    expect(await text({ ceiling: { batchSize: 16 } }, { epochs: 1 })).toBeUndefined();
  });
});
