// @ts-check
// Serves one trial of a small CNN: node serve-trial.mjs native|wasm [resident]
import { memoryTrial } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { allocatorMeter } from '@batchwise/memory-probe';
import { residentMeter, serveTrial } from '@batchwise/memory-probe/node';
import { allocatorStatistics, nativeLocation } from '@batchwise/native';

const name = process.argv[2] === 'native' ? 'native' : 'wasm';
const location = nativeLocation(cacheDirectory(), 'cpu');

const source = {
  size: undefined,
  epoch: () => ({
    /** @param {number} count */
    take: (count) => ({
      xs: {
        data: Float32Array.from({ length: count * 784 }, (_, i) => ((i * 37) % 101) / 101),
        shape: [count, 28, 28, 1],
      },
      ys: {
        data: Float32Array.from({ length: count * 3 }, (_, i) => Number(i % 3 === (i * 7) % 3)),
        shape: [count, 3],
      },
    }),
  }),
};

serveTrial(async (request) => {
  const { tf } = await loadEngine(name, { nativePaths: location ? [location.entry] : [] });
  const kernel = (/** @type {number} */ seed) => ({
    kernelInitializer: tf.initializers.glorotUniform({ seed }),
  });
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({
        filters: 8,
        kernelSize: 3,
        activation: 'relu',
        inputShape: [28, 28, 1],
        ...kernel(1),
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, activation: 'softmax', ...kernel(2) }),
    ],
  });
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
  const statistics = name === 'native' && location ? allocatorStatistics(location) : undefined;
  const allocator = statistics && allocatorMeter(statistics, 'CPU:0');
  const meter = process.argv[3] === 'resident' ? residentMeter() : allocator;
  return memoryTrial(tf, model, { source, ...(meter && { meter }) })(request);
});
