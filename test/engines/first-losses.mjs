// @ts-check
/**
 * The first losses of two small networks, each trained by the loop on the same examples from the same weights: one dense,
 * one with a convolution and batch normalisation. Runs in Node and in a browser.
 */
import { tfjsBackend } from '@batchwise/backend';
import { train } from '@batchwise/core';
import { fixed } from '@batchwise/tuner';

const BATCH = 16;
const CLASSES = 3;
const SIDE = 6;

/** @typedef {import('@batchwise/backend/node').LayersTf} LayersTf */

/**
 * @param {number} length
 * @param {number} seed
 */
const noise = (length, seed) =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233));

/** @type {Readonly<Record<string, (tf: LayersTf) => import('@batchwise/backend').LayersModel>>} */
const NETWORKS = {
  dense: (tf) => {
    const [first, second] = kernels(tf);
    return compiled(tf, [
      tf.layers.flatten({ inputShape: [SIDE, SIDE, 1] }),
      tf.layers.dense({ units: 8, activation: 'relu', ...first }),
      tf.layers.dense({ units: CLASSES, activation: 'softmax', ...second }),
    ]);
  },
  convolutional: (tf) => {
    const [first, second] = kernels(tf);
    return compiled(tf, [
      tf.layers.conv2d({
        filters: 4,
        kernelSize: 3,
        inputShape: [SIDE, SIDE, 1],
        activation: 'relu',
        ...first,
      }),
      tf.layers.batchNormalization(),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: CLASSES, activation: 'softmax', ...second }),
    ]);
  },
};

/** @param {LayersTf} tf */
const kernels = (tf) =>
  [1, 2].map((seed) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) }));

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
const sourceFrom = (/** @type {number} */ from) => ({
  size: BATCH,
  epoch: (/** @type {number} */ epoch) => {
    const index = from + epoch;
    const ys = new Float32Array(BATCH * CLASSES);
    for (let i = 0; i < BATCH; i += 1) ys[i * CLASSES + ((i * 7 + index) % CLASSES)] = 1;
    const batches = [
      {
        xs: { data: noise(BATCH * SIDE * SIDE, index), shape: [BATCH, SIDE, SIDE, 1] },
        ys: { data: ys, shape: [BATCH, CLASSES] },
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
export async function firstLosses(
  tf,
  steps,
  { from = 0, networks = Object.keys(NETWORKS), observers = [] } = {},
) {
  /** @type {Record<string, number[]>} */
  const losses = {};
  for (const name of networks) {
    const model = NETWORKS[name]?.(tf);
    if (!model) throw new Error(`There is no network ${name}.`);
    /** @type {number[]} */
    const seen = [];
    await train({
      backend: tfjsBackend(tf, model),
      source: sourceFrom(from),
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
