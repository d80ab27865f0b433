import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise } from '../src/index.ts';
import { recording, rounded, roundedHistory } from './recording.ts';
import {
  always,
  classifier,
  furthest,
  loadData,
  loadTf,
  rowsOf,
  tensorsOf,
  weightsOf,
  type Model,
} from './support.ts';

/*
 * Weights in fitDataset, where TensorFlow.js takes them and where it does not: the same answer, or the same error, with
 * batches of the data set's own and with the tuned data set.
 */
const tf = await loadTf();
const data = await loadData();
const COUNT = 48;
const BATCH = 12;
const { xs, ys } = rowsOf(COUNT);
const rows = (values: Float32Array, width: number) =>
  Array.from({ length: COUNT }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
const kinds = rows(ys, 3);
const signs = Array.from({ length: COUNT }, (_, i) => [(xs[4 * i] ?? 0) > 0 ? 1 : 0]);

type Args = Parameters<Model['fitDataset']>[1];
type Weights = NonNullable<Args['classWeight']>;

/** An output of three classes, and one of two; the weights are the same each time. */
function twoOutputs(): Model {
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
  const input = tf.input({ shape: [4] });
  const kind = tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer, name: 'kind' });
  const sign = tf.layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer, name: 'sign' });
  const outputs = [kind.apply(input), sign.apply(input)];
  const model = tf.model({ inputs: input, outputs: outputs as never });
  model.compile({
    optimizer: tf.train.adam(0.02),
    loss: { kind: 'categoricalCrossentropy', sign: 'binaryCrossentropy' },
    metrics: { kind: 'accuracy', sign: 'accuracy' },
  });
  return model as unknown as Model;
}

const oneOutput = (): Model => classifier(tf, tf.train.adam(0.02));

/** Single examples for one of these models. */
const examplesFor = (make: () => Model) =>
  data.zip({
    xs: data.array(rows(xs, 4)),
    ys:
      make === oneOutput ? data.array(kinds) : data.zip({ kind: data.array(kinds), sign: data.array(signs) }),
  });

async function theirs(make: () => Model, args: Partial<Args>) {
  const model = make();
  const { callback, told } = recording(tf);
  const all = { epochs: 3, verbose: 0, ...args, callbacks: [callback] } as Args;
  const history = await model.fitDataset(examplesFor(make).batch(BATCH), all);
  return { weights: await weightsOf(model), told, history };
}

async function ours(
  make: () => Model,
  args: Partial<Args>,
  options: Partial<Parameters<typeof batchwise>[1]> = {},
) {
  const model = make();
  const { callback, told } = recording(tf);
  const source = examplesFor(make);
  const tuned = batchwise(tf, { source, policy: 'fixed', batchSize: BATCH, ...options });
  const all = { epochs: 3, verbose: 0, ...args, callbacks: [tuned.callback, callback] } as Args;
  const history = await model.fitDataset(tuned.dataset, all);
  return { weights: await weightsOf(model), told, history };
}

/** Where a training fails, what it says. */
const failureOf = (training: Promise<unknown>): Promise<string> =>
  training.then(
    () => 'it did not fail',
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe('classWeight of two outputs', () => {
  const kind = { 0: 1, 1: 4, 2: 0.5 };
  const sign = { 0: 3, 1: 0.25 };

  it.each<[string, Weights]>([
    ['one for each', [kind, sign]],
    ['by their names', { kind, sign } as Weights],
    ['of one of them', { sign } as Weights],
  ])('%s', async (_what, classWeight) => {
    const expected = await theirs(twoOutputs, { classWeight });
    const actual = await ours(twoOutputs, { classWeight });
    expect(furthest(actual.weights, expected.weights)).toBeLessThan(1e-6);
    expect(rounded(actual.told)).toEqual(rounded(expected.told));
    expect(roundedHistory(actual.history)).toEqual(roundedHistory(expected.history));
    const unweighted = await theirs(twoOutputs, {});
    expect(furthest(actual.weights, unweighted.weights)).toBeGreaterThan(0.01);
  });

  it('in a measured step, whose halves make the update of the whole', async () => {
    const classWeight = [kind, sign];
    const controller = always({ batchSize: BATCH }, ['loss', 'seconds', 'gradient']);
    const expected = await theirs(twoOutputs, { classWeight });
    const actual = await ours(twoOutputs, { classWeight }, { controller });
    expect(actual.told.filter(([hook]) => hook === 'onBatchEnd')).toHaveLength(24);
    expect(furthest(actual.weights, expected.weights)).toBeLessThan(1e-5);
    expect(roundedHistory(actual.history).history).toMatchObject({
      loss: roundedHistory(expected.history).history['loss'],
    });
  });

  it('in one object is refused', async () => {
    const classWeight = kind;
    const expected = await failureOf(theirs(twoOutputs, { classWeight }));
    expect(expected).toContain('The model has multiple (2) outputs, so classWeight must be');
    expect(await failureOf(ours(twoOutputs, { classWeight }))).toBe(expected);
  });
});

it('classWeight without a class that is in the data is refused, and leaves nothing', async () => {
  const classWeight = { 0: 1, 2: 1 };
  const expected = await failureOf(theirs(oneOutput, { classWeight }));
  expect(expected).toContain('classWeight must contain all classes in the training data. The class 1 exists');
  expect(await failureOf(ours(oneOutput, { classWeight }))).toBe(expected);
  const model = classifier(tf, tf.train.sgd(0.1));
  const source = tensorsOf(tf, COUNT);
  for (const measure of [['loss'], ['loss', 'gradient']] as const) {
    const tuned = batchwise(tf, { source, controller: always({ batchSize: BATCH }, measure) });
    const training = expectNoLeak(tf, () =>
      model.fitDataset(tuned.dataset, { epochs: 1, verbose: 0, callbacks: [tuned.callback], classWeight }),
    );
    await expect(training).rejects.toThrow('classWeight must contain all classes');
  }
});

it('validationData with weights is refused, and the training after it goes as ever', async () => {
  const held = tensorsOf(tf, 30, 2);
  const validationData = [held.xs, held.ys, tf.ones([30])] as never;
  const expected = await failureOf(theirs(oneOutput, { validationData }));
  expect(expected).toContain('Validation with sample weights is not implemented yet.');
  expect(await failureOf(ours(oneOutput, { validationData }))).toBe(expected);
  const model = oneOutput();
  const tuned = batchwise(tf, { source: examplesFor(oneOutput), policy: 'fixed', batchSize: BATCH });
  const all = { epochs: 3, verbose: 0, callbacks: [tuned.callback] };
  const refused = expectNoLeak(tf, () => model.fitDataset(tuned.dataset, { ...all, validationData }));
  await expect(refused).rejects.toThrow('not implemented');
  await model.fitDataset(tuned.dataset, all);
  expect(furthest(await weightsOf(model), (await theirs(oneOutput, {})).weights)).toBeLessThan(1e-6);
});
