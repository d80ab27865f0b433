// The models whose ceilings are measured. Weights are small against activations, as in most training.

const kernel = (tf, seed) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });

function convolutions(tf, normalised) {
  const layers = [
    tf.layers.conv2d({
      filters: 16,
      kernelSize: 3,
      activation: 'relu',
      inputShape: [28, 28, 1],
      ...kernel(tf, 1),
    }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu', ...kernel(tf, 2) }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 10, activation: 'softmax', ...kernel(tf, 3) }),
  ];
  if (normalised) {
    layers.splice(1, 0, tf.layers.batchNormalization());
    layers.splice(4, 0, tf.layers.batchNormalization());
  }
  return tf.sequential({ layers });
}

/** Compiled models by name, with the shape of one input. */
export const MODELS = {
  mlp: {
    input: [784],
    make: (tf) =>
      tf.sequential({
        layers: [
          tf.layers.dense({ units: 512, activation: 'relu', inputShape: [784], ...kernel(tf, 1) }),
          tf.layers.dense({ units: 10, activation: 'softmax', ...kernel(tf, 2) }),
        ],
      }),
  },
  cnn: { input: [28, 28, 1], make: (tf) => convolutions(tf, false) },
  'cnn-bn': { input: [28, 28, 1], make: (tf) => convolutions(tf, true) },
  lstm: {
    input: [28, 28],
    make: (tf) =>
      tf.sequential({
        layers: [
          tf.layers.lstm({
            units: 64,
            inputShape: [28, 28],
            ...kernel(tf, 1),
            recurrentInitializer: tf.initializers.glorotUniform({ seed: 2 }),
          }),
          tf.layers.dense({ units: 10, activation: 'softmax', ...kernel(tf, 3) }),
        ],
      }),
  },
};

/** @returns the model, compiled with Adam */
export function makeModel(tf, name) {
  const model = MODELS[name].make(tf);
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy' });
  return model;
}

/** As many examples as one likes, made when they are asked for: numbers in 0…1 and ten classes. */
export function syntheticSource(input) {
  const width = input.reduce((product, size) => product * size, 1);
  return {
    size: undefined,
    epoch: () => ({
      take(count) {
        const xs = new Float32Array(count * width);
        for (let i = 0; i < xs.length; i += 1) xs[i] = ((i * 2654435761) % 1021) / 1021;
        const ys = new Float32Array(count * 10);
        for (let i = 0; i < count; i += 1) ys[i * 10 + ((i * 7) % 10)] = 1;
        return {
          xs: { data: xs, shape: [count, ...input] },
          ys: { data: ys, shape: [count, 10] },
        };
      },
    }),
  };
}
