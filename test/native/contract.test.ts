import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { describeBackend } from '@batchwise/testing';
import { describe } from 'vitest';

const location = nativeLocation(cacheDirectory(), 'cpu');

/** Always the same examples: images of 8 × 8 in three classes. */
function batchOf(size: number): ArrayBatch {
  const pixels = Float32Array.from({ length: size * 64 }, (_, i) => Math.sin((i + 1) * 12.9898));
  const labels = Float32Array.from({ length: size * 3 }, (_, i) => (Math.floor(i / 3) % 3 === i % 3 ? 1 : 0));
  return { xs: { data: pixels, shape: [size, 8, 8, 1] }, ys: { data: labels, shape: [size, 3] } };
}

describe.skipIf(!location)(
  'native TensorFlow (skipped where the cache has none: batchwise setup-native)',
  () => {
    describeBackend('tfjsBackend on native', async () => {
      const { tf } = await loadEngine('native', { nativePaths: location ? [location.entry] : [] });
      const kernel = (seed: number) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
      const model = tf.sequential({
        layers: [
          tf.layers.conv2d({
            filters: 4,
            kernelSize: 3,
            activation: 'relu',
            inputShape: [8, 8, 1],
            ...kernel(1),
          }),
          tf.layers.maxPooling2d({ poolSize: 2 }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 3, activation: 'softmax', ...kernel(2) }),
        ],
      });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
      return { backend: tfjsBackend(tf, model), batch: batchOf, live: () => tf.memory().numTensors };
    });
  },
);
