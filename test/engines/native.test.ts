import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { describeBackend } from '@batchwise/testing';
import { it } from 'vitest';

const location = nativeLocation(cacheDirectory(), 'cpu');

const rows = (size: number, width: number, value: (i: number) => number) => ({
  data: Float32Array.from({ length: size * width }, (_, i) => value(i)),
  shape: [size, width],
});

if (location)
  describeBackend('tfjsBackend on native', async () => {
    const { tf } = await loadEngine('native', { nativePaths: [location.entry] });
    const initializer = (seed: number) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 6, inputShape: [4], activation: 'tanh', ...initializer(1) }),
        tf.layers.dense({ units: 3, activation: 'softmax', ...initializer(2) }),
      ],
    });
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    return {
      backend: tfjsBackend(tf, model),
      batch: (size: number) => ({
        xs: rows(size, 4, (i) => Math.sin(12.9898 * (i + 1))),
        ys: rows(size, 3, (i) => (i % 3 === (Math.floor(i / 3) * 7) % 3 ? 1 : 0)),
      }),
      live: () => tf.memory().numTensors,
    };
  });
else
  it('tfjsBackend on native keeps the contract of a Backend', ({ skip }) =>
    skip('native TensorFlow is not set up (batchwise setup-native)'));
