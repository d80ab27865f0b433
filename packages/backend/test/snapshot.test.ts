import { expectNoLeak } from '@batchwise/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { tfjsBackend } from '../src/index.ts';
import { loadEngine, type LayersTf } from '../src/node/index.ts';
import { batchOf, classifier, weightsOf } from './models.ts';

let tf: LayersTf;
beforeAll(async () => {
  ({ tf } = await loadEngine('wasm'));
});

const optimizers = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9),
  nesterov: () => tf.train.momentum(0.05, 0.9, true),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01),
  centred: () => tf.train.rmsprop(0.01, 0.9, 0.5, 1e-7, true),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
};

/** Updates with the same batches each time. */
async function steps(backend: ReturnType<typeof tfjsBackend>, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const { gradient, loss } = await backend.gradient(batchOf(8, i));
    loss.dispose();
    await backend.apply(gradient, 1);
    backend.release(gradient);
  }
}

describe('a snapshot', () => {
  it.each(Object.keys(optimizers) as (keyof typeof optimizers)[])(
    'of a model with %s goes on exactly as the first time, also from before the first step',
    async (name) => {
      const model = classifier(tf, optimizers[name]());
      const backend = tfjsBackend(tf, model);
      const untouched = await backend.snapshot?.();
      await steps(backend, 3);
      const copy = await backend.snapshot?.();
      if (!copy || !untouched) throw new Error('no snapshot');
      const at = await weightsOf(model);
      await steps(backend, 4);
      const first = await weightsOf(model);
      await copy.restore();
      expect(await weightsOf(model)).toEqual(at);
      await steps(backend, 4);
      expect(await weightsOf(model)).toEqual(first);
      await untouched.restore();
      await steps(backend, 3);
      expect(await weightsOf(model)).toEqual(at);
      copy.dispose();
      await copy.restore();
      expect(await weightsOf(model)).toEqual(at);
    },
  );

  it('holds running statistics too, and leaves no tensor behind', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({
          units: 6,
          inputShape: [4],
          kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
        }),
        tf.layers.batchNormalization(),
        tf.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
    const backend = tfjsBackend(tf, model);
    await steps(backend, 2);
    const before = await weightsOf(model);
    await expectNoLeak(tf, async () => {
      const copy = await backend.snapshot?.();
      await steps(backend, 2);
      await copy?.restore();
      copy?.dispose();
    });
    const after = await weightsOf(model);
    expect(after).toEqual(before);
    // γ, β, running mean and variance among them.
    expect(after).toHaveLength(4 * 6 + 6 + 4 * 6 + 6 * 3 + 3);
  });
});

describe('the gradient of penalties', () => {
  it('is 2λw of each penalised weight, and nothing of the others', async () => {
    const model = classifier(tf, 'sgd', { penalty: 0.05 });
    const backend = tfjsBackend(tf, model);
    const [kernel] = model.getWeights();
    const weights = Array.from((await kernel?.data()) ?? []);
    await expectNoLeak(tf, async () => {
      const penalty = await backend.penaltyGradient?.();
      if (!penalty) throw new Error('no penalty');
      const values = Array.from((await penalty[0]?.tensor?.data()) ?? []);
      expect(values).toHaveLength(24);
      values.forEach((value, i) => expect(value).toBeCloseTo(2 * 0.05 * (weights[i] ?? NaN), 6));
      expect(penalty.slice(1).map(({ tensor }) => tensor)).toEqual([null, null, null]);
      const norm = await backend.dot(penalty, penalty).read();
      expect(norm).toBeCloseTo(
        weights.reduce((sum, weight) => sum + (0.1 * weight) ** 2, 0),
        6,
      );
      backend.release(penalty);
    });
  });

  it.each([
    ['of factor 0', 0, false],
    ['of frozen layers', 0.1, true],
  ])(
    'is none where all penalties are %s, which TensorFlow.js would call no connection',
    async (_which, l2, isFrozen) => {
      const layers = [
        tf.layers.dense({ units: 3, inputShape: [4], kernelRegularizer: tf.regularizers.l2({ l2 }) }),
        tf.layers.dense({ units: 2 }),
      ];
      const model = tf.sequential({ layers });
      if (layers[0]) layers[0].trainable = !isFrozen;
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      const backend = tfjsBackend(tf, model);
      await expectNoLeak(tf, async () => expect(await backend.penaltyGradient?.()).toBeUndefined());
    },
  );

  it('is none where the model has no penalty', async () => {
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    await expectNoLeak(tf, async () => expect(await backend.penaltyGradient?.()).toBeUndefined());
  });
});
