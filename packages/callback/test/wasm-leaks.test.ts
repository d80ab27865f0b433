import { loadEngine } from '@batchwise/backend/node';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise, fit } from '../src/index.ts';
import { HOOKS, throwingIn } from './leaking.ts';
import { always, classifier, tensorsOf, type Model } from './support.ts';

// The engine is that of the newest TensorFlow.js.
const isOldest = process.env['BATCHWISE_TFJS_FOLDER'] !== undefined;

describe.skipIf(isOldest)('on WebAssembly nothing is left', async () => {
  const { tf } = await loadEngine('wasm');
  const { xs, ys } = tensorsOf(tf, 72);
  const controller = always({ batchSize: 16, learningRateScale: 1.5 }, ['loss', 'seconds', 'gradient']);
  type Callbacks = NonNullable<Parameters<Model['fitDataset']>[1]['callbacks']>;
  /** Bytes on its heap, which views and clones of tensors share. */
  const held = () => (tf.engine() as unknown as { state: { numDataBuffers: number } }).state.numDataBuffers;

  const ways = {
    fitDataset(model: Model, callbacks: readonly object[] = []) {
      const tuned = batchwise(tf, { source: { xs, ys }, controller, summary: false });
      const all = [tuned.callback, ...callbacks] as Callbacks;
      return model.fitDataset(tuned.dataset, { epochs: 3, verbose: 0, callbacks: all });
    },
    fit: (model: Model, callbacks: readonly object[] = []) =>
      fit(model, xs, ys, {
        tf,
        epochs: 3,
        verbose: 0,
        callbacks: callbacks as Callbacks,
        tuner: { controller, summary: false },
      }),
  };

  /** A model whose optimizer has its slots already, which stay. */
  async function warmModel(): Promise<Model> {
    const model = classifier(tf, tf.train.adam(0.01));
    await ways.fit(model);
    return model;
  }

  async function expectNothingLeft<T>(work: () => Promise<T>): Promise<T> {
    const before = held();
    try {
      return await expectNoLeak(tf, work);
    } finally {
      expect(held() - before).toBe(0);
    }
  }

  describe.each(['fitDataset', 'fit'] as const)('of %s', (way) => {
    it('after success and an early stop', async () => {
      expect(tf.getBackend()).toBe('wasm');
      const model = await warmModel();
      await expectNothingLeft(() => ways[way](model));
      const stopping = tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 100 });
      const { epoch } = await expectNothingLeft(() => ways[way](model, [stopping]));
      expect(epoch).toEqual([0, 1]);
    });

    it.each(HOOKS)('after a callback that throws in %s', async (hook) => {
      const model = await warmModel();
      const failing = expectNothingLeft(() => ways[way](model, [throwingIn(tf, hook)]));
      await expect(failing).rejects.toThrow(`planted in ${hook}`);
      await expectNothingLeft(() => ways[way](model));
    });
  });
});
