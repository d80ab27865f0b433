import type { LayersTf } from '@batchwise/backend/node';
import { batchwise, fit } from '@batchwise/callback';
import type { BatchController, Json, Observer } from '@batchwise/core';
import { expectNoLeak } from '@batchwise/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE, type NativeTensorflow } from './native-tensorflow.ts';
import { classifier } from './traced/models.ts';
import { noise } from './traced/training.ts';

const COUNT = 72;
const BATCH = 16;

/** Measures all that a policy may want, at each step; the last batch of an epoch is short. */
const measuring: BatchController<Json> = {
  name: 'measuring',
  measures: ['loss', 'seconds', 'gradient'],
  start: () => ({
    plan: { batchSize: BATCH, microBatchSize: BATCH, learningRateScale: 1.5 },
    reason: { code: 'always', text: 'Said so.', numbers: {} },
    measure: ['loss', 'seconds', 'gradient'],
    state: null,
  }),
  next: () => measuring.start({ datasetSize: COUNT, plannedExamples: COUNT, seed: 0 }),
  recover: () => ({ kind: 'giveUp', message: 'No failure was expected.' }),
};

type Model = ReturnType<typeof classifier>;
type Callbacks = NonNullable<Parameters<Model['fitDataset']>[1]['callbacks']>;

/** Both ways to train, on examples that stay where they are. */
function waysOf(tf: LayersTf) {
  const xs = tf.tensor2d(noise(4 * COUNT, 1), [COUNT, 4]);
  const ys = tf.tensor2d(
    Float32Array.from({ length: 3 * COUNT }, (_, i) => Number(i % 3 === Math.floor(i / 3) % 3)),
    [COUNT, 3],
  );
  const options = { controller: measuring, summary: false } as const;
  return {
    fitDataset(model: Model, callbacks: readonly object[] = [], observers: readonly Observer[] = []) {
      const tuned = batchwise(tf, { source: { xs, ys }, ...options, observers });
      const all = [tuned.callback, ...callbacks];
      return model.fitDataset(tuned.dataset, { epochs: 3, verbose: 0, callbacks: all as Callbacks });
    },
    fit(model: Model, callbacks: readonly object[] = [], observers: readonly Observer[] = []) {
      const args = {
        tf,
        batchSize: BATCH,
        epochs: 3,
        verbose: 0,
        callbacks: callbacks as Callbacks,
      } as const;
      return fit(model, xs, ys, { ...args, tuner: { ...options, observers } });
    },
  };
}

describe.skipIf(WHY_NO_NATIVE)('on native TensorFlow nothing is left', () => {
  let native: NativeTensorflow;
  let tf: LayersTf;
  let ways: ReturnType<typeof waysOf>;
  beforeAll(async () => {
    native = await nativeTensorflow();
    ({ tf } = native);
    ways = waysOf(tf);
  });

  /** No tensor more, no handle of TensorFlow and no graph. */
  async function expectNothingLeft<T>(work: () => Promise<T>): Promise<T> {
    const before = native.handles();
    try {
      return await expectNoLeak(tf, work);
    } finally {
      expect([native.handles() - before, native.graphs()]).toEqual([0, 0]);
    }
  }

  /** A model whose optimizer has its slots already, which stay. */
  async function warmModel(): Promise<Model> {
    const model = classifier(tf, tf.train.adam(0.01));
    await ways.fit(model);
    return model;
  }

  describe.each(['fitDataset', 'fit'] as const)('of %s', (way) => {
    it('after success', async () => {
      const model = await warmModel();
      const steps: unknown[] = [];
      const watch: Observer = { name: 'watch', onStepFinished: ({ outcome }) => void steps.push(outcome) };
      await expectNothingLeft(() => ways[way](model, [], [watch]));
      expect(steps).toHaveLength(15);
      for (const step of steps)
        expect(step).toMatchObject({
          loss: expect.any(Number) as number,
          seconds: expect.any(Number) as number,
          gradient: { squaredNorms: expect.any(Array) as number[] },
        });
    });

    it('after an early stop', async () => {
      const model = await warmModel();
      const stopping = tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 100 });
      const { epoch } = await expectNothingLeft(() => ways[way](model, [stopping]));
      expect(epoch).toEqual([0, 1]);
    });

    it.each(['onBatchBegin', 'onBatchEnd', 'onEpochEnd'] as const)(
      'after a callback that throws in %s',
      async (hook) => {
        const model = await warmModel();
        class Throwing extends tf.Callback {}
        const throwing = new Throwing();
        let calls = 0;
        throwing[hook] = async () => {
          if (++calls === 2) throw new Error('planted');
        };
        await expect(expectNothingLeft(() => ways[way](model, [throwing]))).rejects.toThrow('planted');
        await expectNothingLeft(() => ways[way](model));
      },
    );
  });
});
