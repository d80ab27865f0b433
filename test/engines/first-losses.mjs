// @ts-check
/**
 * The first losses of small networks, each trained by the loop on the same examples from the same weights: dense ones, and
 * one with a convolution and batch normalisation. Runs in Node and in a browser.
 */
import { tfjsBackend } from '@batchwise/backend';
import { train } from '@batchwise/core';
import { fixed } from '@batchwise/tuner';

const BATCH = 16;

/** @typedef {import('@batchwise/backend/node').LayersTf} LayersTf */

/**
 * @param {number} length
 * @param {number} seed
 */
const noise = (length, seed) =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233));

/**
 * A network on square images in one channel.
 * @typedef {object} Network
 * @property {number} side
 * @property {number} classes
 * @property {(tf: LayersTf) => InstanceType<LayersTf['layers']['Layer']>[]} layers
 */

/** @type {Readonly<Record<string, Network>>} */
const NETWORKS = {
  dense: {
    side: 6,
    classes: 3,
    layers: (tf) => {
      const [first, second] = kernels(tf);
      return [
        tf.layers.flatten({ inputShape: [6, 6, 1] }),
        tf.layers.dense({ units: 8, activation: 'relu', ...first }),
        tf.layers.dense({ units: 3, activation: 'softmax', ...second }),
      ];
    },
  },
  convolutional: {
    side: 6,
    classes: 3,
    layers: (tf) => {
      const [first, second] = kernels(tf);
      const size = { filters: 4, kernelSize: 3, inputShape: [6, 6, 1] };
      return [
        tf.layers.conv2d({ ...size, activation: 'relu', ...first }),
        tf.layers.batchNormalization(),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3, activation: 'softmax', ...second }),
      ];
    },
  },
  // The MLP of all figures of this project, 784-50-50-10.
  reference: {
    side: 28,
    classes: 10,
    layers: (tf) => {
      const [first, second, third] = kernels(tf);
      return [
        tf.layers.flatten({ inputShape: [28, 28, 1] }),
        tf.layers.dense({ units: 50, activation: 'relu', ...first }),
        tf.layers.dense({ units: 50, activation: 'relu', ...second }),
        tf.layers.dense({ units: 10, activation: 'softmax', ...third }),
      ];
    },
  },
};

/** Small enough for a GPU that is made of software. */
const SMALL = ['dense', 'convolutional'];
export const ALL = Object.keys(NETWORKS);

/** @param {LayersTf} tf */
const kernels = (tf) =>
  [1, 2, 3].map((seed) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) }));

/**
 * @param {LayersTf} tf
 * @param {InstanceType<LayersTf['layers']['Layer']>[]} layers
 */
function compiled(tf, layers) {
  const model = tf.sequential({ layers });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
  return model;
}

/** One batch per epoch, so that the loop tells the loss of each; every epoch has values of its own. */
const sourceFrom = (/** @type {Network} */ { side, classes }, /** @type {number} */ from) => ({
  size: BATCH,
  epoch: (/** @type {number} */ epoch) => {
    const index = from + epoch;
    const ys = new Float32Array(BATCH * classes);
    for (let i = 0; i < BATCH; i += 1) ys[i * classes + ((i * 7 + index) % classes)] = 1;
    const batches = [
      {
        xs: { data: noise(BATCH * side * side, index), shape: [BATCH, side, side, 1] },
        ys: { data: ys, shape: [BATCH, classes] },
      },
    ];
    return { take: () => batches.pop() };
  },
});

/**
 * @param {LayersTf} tf set to an engine
 * @param {number} steps
 * @param {{ readonly from?: number, readonly networks?: readonly string[], readonly observers?: readonly import('@batchwise/core').Observer[] }} [options]
 *   the first epoch of the source, which networks, and who else looks on
 * @returns {Promise<Record<string, number[]>>} by the name of the network
 */
export async function firstLosses(tf, steps, { from = 0, networks = SMALL, observers = [] } = {}) {
  /** @type {Record<string, number[]>} */
  const losses = {};
  for (const name of networks) {
    const network = NETWORKS[name];
    if (!network) throw new Error(`There is no network ${name}.`);
    const model = compiled(tf, network.layers(tf));
    /** @type {number[]} */
    const seen = [];
    await train({
      backend: tfjsBackend(tf, model),
      source: sourceFrom(network, from),
      controller: fixed(BATCH),
      stop: { epochs: steps },
      observers: [
        { name: 'losses', onEpochFinished: ({ trainLoss }) => void seen.push(trainLoss) },
        ...observers,
      ],
    });
    losses[name] = seen;
  }
  return losses;
}
