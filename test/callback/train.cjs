/**
 * What a page or a CommonJS program does with @batchwise/callback; answers what came of it.
 * @param {typeof import('@tensorflow/tfjs-core') & typeof import('@tensorflow/tfjs-layers')} tf
 * @param {typeof import('@batchwise/callback')} callback
 */
module.exports = async function train(tf, { batchwise, createTuner, fit }) {
  const count = 256;
  const xs = tf.tensor2d(Array.from({ length: count }, (_, i) => [Math.sin(i), Math.cos(3 * i)]));
  const ys = tf.tidy(() => tf.sum(xs, 1, true));
  const makeModel = () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    return model;
  };
  const tuned = batchwise(tf, { source: { xs, ys }, batchSize: 8, summary: false });
  const model = makeModel();
  const before = tf.memory().numTensors;
  const history = await model.fitDataset(tuned.dataset, {
    epochs: 8,
    callbacks: [tuned.callback, tf.callbacks.earlyStopping({ monitor: 'loss', patience: 8 })],
  });
  const fitted = await fit(makeModel(), xs, ys, { tf, epochs: 8, batchSize: 8, verbose: 0 });
  const tuner = createTuner({ optimizer: 'sgd', batchSize: 8 });
  return {
    tensorsLeft: tf.memory().numTensors - before - 3,
    losses: [history, fitted].map(({ history: { loss = [] } }) => Number(loss.at(-1))),
    epochs: [history.epoch.length, fitted.epoch.length],
    measured: tuned.history.noise.samples,
    next: tuner.next().batchSize,
    reason: tuned.history.changes[0]?.reason.code,
  };
};
