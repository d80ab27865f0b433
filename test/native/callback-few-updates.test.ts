import { fit } from '@batchwise/callback';
import { expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE } from './native-tensorflow.ts';
import { countLoads } from './traced/count-loads.ts';
import { classifier } from './traced/models.ts';
import { noise } from './traced/training.ts';

it.skipIf(WHY_NO_NATIVE)('fit makes no graph for ten updates, which would not pay for it', async () => {
  const { tf } = await nativeTensorflow();
  const xs = tf.tensor2d(noise(4 * 40, 1), [40, 4]);
  const ys = tf.tensor2d(
    Float32Array.from({ length: 120 }, (_, i) => Number(i % 3 === 0)),
    [40, 3],
  );
  const tuner = { policy: 'fixed', summary: false, ceiling: false } as const;
  const graphs: number[] = [];
  for (const epochs of [5, 6]) {
    const model = classifier(tf, tf.train.sgd(0.01));
    const loads = countLoads(tf);
    await fit(model, xs, ys, { tf, batchSize: 20, epochs, verbose: 0, tuner });
    graphs.push(loads.stop());
    model.dispose();
  }
  expect(graphs[0]).toBe(0);
  expect(graphs[1]).toBeGreaterThan(0);
  tf.dispose([xs, ys]);
});
