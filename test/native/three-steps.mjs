// @ts-check
// Trains a small network for three steps on an engine and prints its losses as JSON.
//   node three-steps.mjs native CACHE_DIR    node three-steps.mjs cpu
import { loadEngine } from '@batchwise/backend/node';
import { allocatorStatistics, nativeLocation } from '@batchwise/native';

const [name = '', cacheDir = ''] = process.argv.slice(2);
const location = nativeLocation(cacheDir, 'cpu');
const { tf, version } = await loadEngine(name === 'native' ? 'native' : 'cpu', {
  nativePaths: location ? [location.entry] : [],
});

/** @param {number} seed */
const kernel = (seed) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
const model = tf.sequential({
  layers: [
    tf.layers.conv2d({
      filters: 4,
      kernelSize: 3,
      activation: 'relu',
      inputShape: [32, 32, 1],
      ...kernel(1),
    }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 3, activation: 'softmax', ...kernel(2) }),
  ],
});
model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
const xs = tf.randomUniform([32, 32, 32, 1], 0, 1, 'float32', 3);
const ys = tf.oneHot(
  tf.tensor1d(
    Array.from({ length: 32 }, (_, i) => i % 3),
    'int32',
  ),
  3,
);

const reader = name === 'native' && location ? allocatorStatistics(location) : undefined;
reader?.resetPeak('CPU:0');
const losses = [];
for (let step = 0; step < 3; step += 1) losses.push(await model.trainOnBatch(xs, ys));
console.log(JSON.stringify({ version, losses, memory: reader?.read('CPU:0') ?? null }));
