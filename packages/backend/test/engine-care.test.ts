import { describe, expect, it } from 'vitest';
import { expectNoLeak } from '@batchwise/testing';
import { tfjsBackend } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { batchOf, classifier, tensorsOf } from './models.ts';

describe('the engine of TensorFlow.js', () => {
  it('is left as it was after each piece of work', async () => {
    const { tf } = await loadEngine('cpu');
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const { trackTensor } = tf.engine() as unknown as { trackTensor: unknown };
    const { gradient, loss } = await backend.gradient(batchOf(4));
    loss.dispose();
    backend.release(gradient);
    const { loss: evaluated, metrics } = await backend.evaluate(batchOf(4));
    for (const value of [evaluated, ...Object.values(metrics)]) value.dispose();
    expect((tf.engine() as unknown as { trackTensor: unknown }).trackTensor).toBe(trackTensor);
  });

  it('is watched for its peak, which a run begins anew', async () => {
    const { tf } = await loadEngine('cpu');
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const peakAt = async (size: number): Promise<number> => {
      const { gradient, loss } = await backend.gradient(batchOf(size));
      loss.dispose();
      backend.release(gradient);
      return backend.memory().peakBytes - backend.memory().bytesInUse;
    };
    const [small, large] = [await peakAt(10), await peakAt(1000)];
    // Per example: inputs, activations and their gradients, 4 bytes each.
    expect(large - small).toBeGreaterThan(990 * 4 * (4 + 6 + 3));
    expect(await peakAt(10)).toBe(large);
    await backend.endRun();
    expect(await peakAt(10)).toBe(small);
  });

  it('keeps nothing of an accumulation that broke off', async () => {
    const { tf } = await loadEngine('cpu');
    let left = Infinity;
    const limited = {
      ...tf,
      add: ((a, b) => {
        if ((left -= 1) < 0) throw new Error('planted');
        return tf.add(a, b);
      }) as typeof tf.add,
    };
    const backend = tfjsBackend(limited, classifier(tf, 'sgd'));
    const [a, b] = [await backend.gradient(batchOf(4)), await backend.gradient(batchOf(5))];
    left = 2;
    await expect(
      expectNoLeak(tf, () => void backend.accumulate(a.gradient, b.gradient, 0.5)),
    ).rejects.toThrow('planted');
    for (const { gradient, loss } of [a, b]) {
      loss.dispose();
      backend.release(gradient);
    }
  });
});

describe('evaluation', () => {
  it('does without dropout, as model.evaluate does', async () => {
    const { tf } = await loadEngine('cpu');
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 8, inputShape: [4], activation: 'relu' }),
        tf.layers.dropout({ rate: 0.5, seed: 3 }),
        tf.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    const { xs, ys } = tensorsOf(tf, batchOf(40));
    const [expected] = [model.evaluate(xs, ys)].flat();
    const { loss } = await tfjsBackend(tf, model).evaluate(batchOf(40));
    expect(await loss.read()).toBeCloseTo((await expected?.data())?.[0] ?? NaN, 6);
  });
});
