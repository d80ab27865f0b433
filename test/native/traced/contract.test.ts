import { tfjsBackend } from '@batchwise/backend';
import { describeBackend } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE } from '../native-tensorflow.ts';
import { classifier } from './models.ts';
import { batchOf } from './training.ts';

describe.skipIf(WHY_NO_NATIVE)('on native TensorFlow', () => {
  for (const traced of [undefined, true, false])
    describeBackend(`tfjsBackend with traced: ${traced}`, async () => {
      const { tf } = await nativeTensorflow();
      const model = classifier(tf, tf.train.sgd(0.1));
      return {
        backend: tfjsBackend(tf, model, traced === undefined ? {} : { traced }),
        batch: (size) => batchOf(size, 1),
        // Handles are kept per size until the run ends; safety.test.ts counts them.
        live: () => tf.memory().numTensors,
      };
    });

  it('leaves no graph behind', async () => {
    const { graphs } = await nativeTensorflow();
    expect(graphs()).toBe(0);
  });
});
