import type { ArrayBatch } from '@batchwise/backend';
import type { LayersTf } from '@batchwise/backend/node';

/**
 * A training task that comes out the same everywhere: weights, images and labels follow from formulas alone, so that no
 * engine's random numbers are in it, and its losses can be computed by other means.
 *
 * 16 images of 28 × 28; convolution of 3 × 3 to 8 channels, ReLU, max-pooling by 2, convolution to 16, ReLU, max-pooling,
 * dense to 10, softmax cross-entropy; gradient descent with momentum.
 */
export const PROBE = {
  examples: 16,
  side: 28,
  classes: 10,
  filters: [8, 16],
  learningRate: 0.3,
  momentum: 0.9,
} as const;

/** Losses of the first three steps, each before its update, computed in double precision without TensorFlow.js. */
export const EXPECTED_LOSSES: readonly number[] = [2.318015, 2.225147, 2.097219];

/**
 * How far a loss may be from the reference. TensorFlow multiplies with 10 bits of fraction on recent GPUs (TF32),
 * which moves these losses by up to 0.0004; a gradient that is off by 2 % moves one by 0.003.
 */
export const LOSS_TOLERANCE = 0.002;

/** Values spread evenly over -1 to 1 without a pattern: multiples of an irrational number, modulo 1. */
function spread(count: number, irrational: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => 2 * (((i + 1) * irrational) % 1) - 1);
}

/** The images, each the wave of its class under some noise, and their labels as one of ten. */
export function probeBatch(): ArrayBatch {
  const { examples, side, classes } = PROBE;
  const pixels = spread(examples * side * side, Math.SQRT2).map((noise, i) => {
    const image = Math.floor(i / (side * side));
    const wave = Math.sin((((image % classes) + 1) * (i % (side * side))) / 40);
    return 0.5 + 0.4 * wave + 0.1 * noise;
  });
  const labels = Float32Array.from({ length: examples * classes }, (_, i) =>
    Math.floor(i / classes) % classes === i % classes ? 1 : 0,
  );
  return {
    xs: { data: pixels, shape: [examples, side, side, 1] },
    ys: { data: labels, shape: [examples, classes] },
  };
}

/** The initial weights, layer by layer: kernels spread over what Glorot's rule allows, biases zero. */
export function probeWeights(): { data: Float32Array; shape: number[] }[] {
  const [first, second] = PROBE.filters;
  const flat = (PROBE.side / 4) ** 2 * second;
  const kernels = [
    { shape: [3, 3, 1, first], fan: 9 + 9 * first, irrational: Math.sqrt(3) },
    { shape: [3, 3, first, second], fan: 9 * first + 9 * second, irrational: Math.sqrt(5) },
    { shape: [flat, PROBE.classes], fan: flat + PROBE.classes, irrational: Math.sqrt(7) },
  ];
  return kernels.flatMap(({ shape, fan, irrational }) => {
    const limit = Math.sqrt(6 / fan);
    const size = shape.reduce((a, b) => a * b);
    const outputs = shape.at(-1) ?? 0;
    return [
      { data: spread(size, irrational).map((value) => value * limit), shape },
      { data: new Float32Array(outputs), shape: [outputs] },
    ];
  });
}

/** The network on an engine, compiled, with its initial weights. */
export function probeModel(tf: LayersTf): ReturnType<LayersTf['sequential']> {
  const { side, classes, filters, learningRate, momentum } = PROBE;
  const zeros = { kernelInitializer: 'zeros' } as const;
  const model = tf.sequential({
    layers: [
      tf.layers.inputLayer({ inputShape: [side, side, 1] }),
      ...filters.flatMap((count) => [
        tf.layers.conv2d({ filters: count, kernelSize: 3, padding: 'same', activation: 'relu', ...zeros }),
        tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      ]),
      tf.layers.flatten(),
      tf.layers.dense({ units: classes, activation: 'softmax', ...zeros }),
    ],
  });
  const weights = probeWeights().map(({ data, shape }) => tf.tensor(data, shape));
  model.setWeights(weights);
  tf.dispose(weights);
  model.compile({ optimizer: tf.train.momentum(learningRate, momentum), loss: 'categoricalCrossentropy' });
  return model;
}
