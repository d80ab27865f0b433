import { expect, it } from 'vitest';
import { fit, type FitArgs } from '../src/index.ts';
import { classifier, loadTf, tensorsOf, type Model } from './support.ts';

const tf = await loadTf();
const { xs, ys } = tensorsOf(tf, 32);

/** The reason of the first plan. */
async function reasonOf(model: Model, tuner: FitArgs['tuner']): Promise<string> {
  let said = '';
  await fit(model, xs, ys, {
    tf,
    epochs: 1,
    batchSize: 8,
    verbose: 0,
    tuner: {
      policy: 'fixed',
      observers: [{ name: 'first reason', onRunStarted: ({ reason }) => void (said = reason.text) }],
      ...tuner,
    },
  });
  return said;
}

/** Normalised within a model inside of the model. */
function normalised(): Model {
  const inner = tf.sequential({
    layers: [tf.layers.dense({ units: 4, inputShape: [4] }), tf.layers.batchNormalization()],
  });
  const model = tf.sequential({ layers: [inner, tf.layers.dense({ units: 3, activation: 'softmax' })] });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  return model;
}

it('advises on small micro-batches where the model has batch normalisation, unless that is not wanted', async () => {
  const advice = 'Batch normalisation sees only 8 examples at a time';
  expect(await reasonOf(normalised(), {})).toContain(advice);
  expect(await reasonOf(normalised(), { batchNorm: false })).not.toContain(advice);
  expect(await reasonOf(classifier(tf, 'sgd'), {})).not.toContain(advice);
});
