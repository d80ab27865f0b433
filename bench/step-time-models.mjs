// The models of step-time.mjs; step-time-torch.py has the same.

/** Shape of one example. */
export const inputShape = (name) => ({ mlp: [784], cnn: [28, 28, 1], lstm: [28, 28] })[name];

/** Compiled with Adam. The MLP is the reference of all figures here. */
export function makeModel(tf, name) {
  const kernel = (seed) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  const output = tf.layers.dense({ units: 10, activation: 'softmax', ...kernel(9) });
  const hidden = (units, seed, first = {}) =>
    tf.layers.dense({ units, activation: 'relu', ...kernel(seed), ...first });
  const convolution = (filters, seed, first = {}) =>
    tf.layers.conv2d({ filters, kernelSize: 3, activation: 'relu', ...kernel(seed), ...first });
  const pool = () => tf.layers.maxPooling2d({ poolSize: 2 });
  const first = { inputShape: inputShape(name) };
  const layers = {
    mlp: () => [hidden(50, 1, first), hidden(50, 2), output],
    cnn: () => [
      convolution(16, 1, first),
      pool(),
      convolution(32, 2),
      pool(),
      tf.layers.flatten(),
      hidden(64, 3),
      output,
    ],
    lstm: () => [
      tf.layers.lstm({
        units: 32,
        ...kernel(1),
        recurrentInitializer: tf.initializers.glorotUniform({ seed: 2 }),
        ...first,
      }),
      output,
    ],
  }[name]();
  const model = tf.sequential({ layers });
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy' });
  return model;
}
