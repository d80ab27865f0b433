import { train, type Decision } from '@batchwise/core';
import { describeBackend, expectNoLeak, listSource } from '@batchwise/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { tfjsBackend, type ArrayBatch } from '../src/index.ts';
import { loadEngine, type LayersTf } from '../src/node/index.ts';
import { batchOf, classifier, furthest, noise, tensorsOf, weightsOf } from './models.ts';

for (const name of ['cpu', 'wasm'] as const) {
  describeBackend(`tfjsBackend on ${name}`, async () => {
    const { tf } = await loadEngine(name);
    const model = classifier(tf, tf.train.sgd(0.1));
    return { backend: tfjsBackend(tf, model), batch: batchOf, live: () => tf.memory().numTensors };
  });
}

/** One update through the backend, whole or in parts. */
async function step(
  tf: LayersTf,
  model: Parameters<typeof tfjsBackend>[1],
  batch: ArrayBatch,
  parts = 1,
): Promise<number> {
  const backend = tfjsBackend(tf, model);
  const size = backend.sizeOf(batch);
  let total;
  let loss = 0;
  for (const part of backend.split(batch, Math.ceil(size / parts))) {
    const micro = await backend.gradient(part);
    loss += ((await micro.loss.read()) * backend.sizeOf(part)) / size;
    total = backend.accumulate(total, micro.gradient, backend.sizeOf(part) / size);
  }
  if (total) await backend.apply(total, 1);
  if (total) backend.release(total);
  await backend.endRun();
  return loss;
}

describe('against TensorFlow.js', () => {
  let tf: LayersTf;
  beforeAll(async () => {
    ({ tf } = await loadEngine('wasm'));
  });
  const optimizers = {
    sgd: () => tf.train.sgd(0.05),
    momentum: () => tf.train.momentum(0.05, 0.9),
    adam: () => tf.train.adam(0.01),
    adamax: () => tf.train.adamax(0.01),
    rmsprop: () => tf.train.rmsprop(0.01),
    adagrad: () => tf.train.adagrad(0.05),
    adadelta: () => tf.train.adadelta(0.5),
  };

  it.each(Object.keys(optimizers) as (keyof typeof optimizers)[])(
    '%s updates as trainOnBatch does',
    async (name) => {
      const [theirs, ours, split] = [1, 2, 3].map(() =>
        classifier(tf, optimizers[name](), { penalty: 0.01 }),
      );
      if (!theirs || !ours || !split) throw new Error('three models');
      for (let i = 0; i < 8; i += 1) {
        const batch = batchOf(12, i);
        const { xs, ys } = tensorsOf(tf, batch);
        const answer = await theirs.trainOnBatch(xs, ys);
        tf.dispose([xs, ys]);
        expect(await step(tf, ours, batch)).toBeCloseTo((answer as number[])[0] ?? NaN, 5);
        await step(tf, split, batch, 3);
      }
      const expected = await weightsOf(theirs);
      expect(furthest(expected, await weightsOf(ours))).toBeLessThan(1e-6);
      expect(furthest(expected, await weightsOf(split))).toBeLessThan(1e-5);
      expect(furthest(expected, await weightsOf(classifier(tf, 'sgd')))).toBeGreaterThan(0.01);
    },
  );

  it('leaves the optimizer so that training goes on as if it had never stopped', async () => {
    const [theirs, mixed] = [classifier(tf, tf.train.adam(0.01)), classifier(tf, tf.train.adam(0.01))];
    const onBatch = async (model: typeof theirs, i: number) => {
      const { xs, ys } = tensorsOf(tf, batchOf(12, i));
      await model.trainOnBatch(xs, ys);
      tf.dispose([xs, ys]);
    };
    for (let i = 0; i < 9; i += 1) await onBatch(theirs, i);
    for (let i = 0; i < 3; i += 1) await onBatch(mixed, i);
    for (let i = 3; i < 6; i += 1) await step(tf, mixed, batchOf(12, i));
    for (let i = 6; i < 9; i += 1) await onBatch(mixed, i);
    expect(furthest(await weightsOf(theirs), await weightsOf(mixed))).toBeLessThan(1e-6);
  });

  it('evaluates to the loss and metrics of model.evaluate', async () => {
    const model = classifier(tf, 'sgd', { penalty: 0.01 });
    const { xs, ys } = tensorsOf(tf, batchOf(30));
    const expected = await Promise.all([model.evaluate(xs, ys)].flat().map(async (t) => (await t.data())[0]));
    const { loss, metrics } = await tfjsBackend(tf, model).evaluate(batchOf(30));
    expect(await loss.read()).toBeCloseTo(expected[0] ?? NaN, 6);
    expect(await metrics['acc']?.read()).toBeCloseTo(expected[1] ?? NaN, 6);
  });

  it('trains a model of two inputs and two outputs as trainOnBatch does', async () => {
    const build = () => {
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
      const inputs = [tf.input({ shape: [4] }), tf.input({ shape: [2] })];
      const joined = tf.layers.concatenate().apply(inputs) as ReturnType<LayersTf['input']>;
      const outputs = [3, 1].map(
        (units) =>
          tf.layers.dense({ units, kernelInitializer }).apply(joined) as ReturnType<LayersTf['input']>,
      );
      const model = tf.model({ inputs, outputs });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: ['meanSquaredError', 'meanAbsoluteError'] });
      return model;
    };
    const rows = (width: number, seed: number) => ({ data: noise(6 * width, seed), shape: [6, width] });
    const batch = { xs: [rows(4, 1), rows(2, 2)], ys: [rows(3, 3), rows(1, 4)] };
    const tensors = (list: typeof batch.xs) => list.map(({ data, shape }) => tf.tensor(data, shape));
    const [theirs, ours] = [build(), build()];
    const answer = await theirs.trainOnBatch(tensors(batch.xs), tensors(batch.ys));
    expect(await step(tf, ours, batch, 2)).toBeCloseTo([answer].flat()[0] as number, 5);
    expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-6);
  });
});

describe('the learning rate', () => {
  it.each(['sgd', 'momentum', 'adam'] as const)(
    'of %s is scaled for one update and given back',
    async (name) => {
      const { tf } = await loadEngine('cpu');
      const make = {
        sgd: (r: number) => tf.train.sgd(r),
        momentum: (r: number) => tf.train.momentum(r, 0.9),
        adam: (r: number) => tf.train.adam(r),
      }[name];
      const [half, scaled] = [classifier(tf, make(0.05)), classifier(tf, make(0.1))];
      await step(tf, half, batchOf(8));
      const backend = tfjsBackend(tf, scaled);
      const { gradient, loss } = await backend.gradient(batchOf(8));
      loss.dispose();
      await backend.apply(gradient, 0.5);
      backend.release(gradient);
      expect(furthest(await weightsOf(half), await weightsOf(scaled))).toBeLessThan(1e-7);
      expect((scaled.optimizer as unknown as { learningRate: number }).learningRate).toBe(0.1);
      await backend.endRun();
    },
  );

  it('follows a schedule that sets it between two updates', async () => {
    const { tf } = await loadEngine('cpu');
    const [theirs, ours] = [classifier(tf, tf.train.adam(0.1)), classifier(tf, tf.train.adam(0.1))];
    const backend = tfjsBackend(tf, ours);
    for (const [i, rate] of [0.1, 0.1, 0.03].entries()) {
      for (const model of [theirs, ours]) Object.assign(model.optimizer, { learningRate: rate });
      Object.assign(theirs.optimizer, { learningRate: 2 * rate });
      await step(tf, theirs, batchOf(8, i));
      const { gradient, loss } = await backend.gradient(batchOf(8, i));
      loss.dispose();
      await backend.apply(gradient, 2);
      backend.release(gradient);
    }
    await backend.endRun();
    expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-7);
    expect(ours.optimizer).toMatchObject({ learningRate: 0.03 });
  });
});

describe('nothing is left behind', () => {
  const decision: Decision<null> = {
    plan: { batchSize: 8, microBatchSize: 4, learningRateScale: 2 },
    reason: { code: 'test', text: 'said so', numbers: {} },
    measure: ['loss', 'seconds', 'gradient', 'memory'],
    state: null,
  };
  const controller = {
    name: 'test',
    measures: decision.measure,
    start: () => decision,
    next: () => decision,
    recover: () => ({ kind: 'giveUp' as const, message: 'gave up' }),
  };
  const source = { size: 24, epoch: () => ({ take: take24() }) };
  function take24() {
    const inner = listSource(Array.from({ length: 24 }, (_, i) => i)).epoch(0);
    return async (count: number) => {
      const rows = await inner.take(count);
      return rows && batchOf(rows.length, rows[0]);
    };
  }

  it.each(['cpu', 'wasm'] as const)('after success and after an abort on %s', async (name) => {
    const { tf } = await loadEngine(name);
    const model = classifier(tf, tf.train.adam(0.01));
    await step(tf, model, batchOf(4));
    const backend = tfjsBackend(tf, model);
    await expectNoLeak(tf, () =>
      train({ backend, source, controller, stop: { epochs: 2 }, validation: { source } }),
    );
    const signal = { aborted: false };
    const observers = [{ name: 'abort', onStepFinished: () => void (signal.aborted = true) }];
    await expectNoLeak(tf, () =>
      train({ backend, source, controller, observers, stop: { epochs: 2 }, signal }),
    );
  });

  it.each(['cpu', 'wasm'] as const)(
    'after a failure in the middle of a forward and backward pass on %s',
    async (name) => {
      const { tf } = await loadEngine(name);
      let failing: 'forward' | 'backward' | 'no' = 'no';
      const planted = (message: string) => new Error(`Array buffer allocation failed (${message})`);
      const identity = tf.customGrad((x) => {
        if (failing === 'forward') throw planted('forward');
        return {
          value: (x as ReturnType<LayersTf['tensor']>).clone(),
          gradFunc: (dy) => {
            if (failing === 'backward') throw planted('backward');
            return dy.clone();
          },
        };
      });
      class Brittle extends tf.layers.Layer {
        override call(inputs: Parameters<InstanceType<typeof tf.layers.Layer>['call']>[0]) {
          const tensor = Array.isArray(inputs) ? inputs[0] : inputs;
          return tensor ? identity(tensor) : [];
        }
        static get className() {
          return `Brittle${name}`;
        }
      }
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ units: 5, inputShape: [4], activation: 'relu' }),
          new Brittle({}),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      });
      model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
      const backend = tfjsBackend(tf, model);
      const run = () => train({ backend, source, controller, stop: { epochs: 1 } });
      await run();
      for (failing of ['forward', 'backward'] as const) {
        const failed = expectNoLeak(tf, run);
        await expect(failed).rejects.toMatchObject({ code: 'outOfMemory', message: 'gave up' });
      }
      failing = 'no';
      await expect(expectNoLeak(tf, run)).resolves.toMatchObject({ status: 'completed', examples: 24 });
    },
  );
});

describe('misuse is refused with the way out', () => {
  it('a model that is not compiled, or has nothing to train', async () => {
    const { tf } = await loadEngine('cpu');
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })], name: 'raw' });
    expect(() => tfjsBackend(tf, model)).toThrow('The model "raw" is not compiled. Call model.compile(');
    for (const layer of model.layers) layer.trainable = false;
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    expect(() => tfjsBackend(tf, model)).toThrow('The model "raw" has no trainable weights.');
  });

  it('a batch that lacks a target', async () => {
    const { tf } = await loadEngine('cpu');
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const { xs } = batchOf(4);
    await expect(expectNoLeak(tf, () => backend.gradient({ xs, ys: [] }))).rejects.toThrow(
      'The model needs target 1, but there are 0.',
    );
    await backend.endRun();
  });
});
