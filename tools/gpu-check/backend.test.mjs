// @ts-check
// The contract of a backend on one engine, ENGINE: run by vitest where `run.mjs` has unpacked the packages.
import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { describeBackend } from '@batchwise/testing';

const name = /** @type {import('@batchwise/backend/node').EngineName} */ (process.env.ENGINE ?? 'auto');
const native = /** @type {const} */ (['gpu', 'cpu']).map((variant) =>
  nativeLocation(cacheDirectory(), variant),
);
const { tf, device } = await loadEngine(name, {
  nativePaths: native.flatMap((location) => location?.entry ?? []),
  webgpu: { software: false },
});

/** @param {number} seed */
const kernel = (seed) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });

/**
 * @param {readonly [size: number, width: number]} shape
 * @param {(i: number) => number} value
 */
const rows = ([size, width], value) => ({
  data: Float32Array.from({ length: size * width }, (_, i) => value(i)),
  shape: [size, width],
});

describeBackend(`tfjsBackend on ${name} (${device})`, () => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 6, inputShape: [4], activation: 'tanh', ...kernel(1) }),
      tf.layers.dense({ units: 3, activation: 'softmax', ...kernel(2) }),
    ],
  });
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return {
    backend: tfjsBackend(tf, model),
    batch: (size) => ({
      xs: rows([size, 4], (i) => Math.sin(12.9898 * (i + 1))),
      ys: rows([size, 3], (i) => (i % 3 === (Math.floor(i / 3) * 7) % 3 ? 1 : 0)),
    }),
    live: () => tf.memory().numTensors,
  };
});
