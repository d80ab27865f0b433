import type { LayersTf } from '@batchwise/backend/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE } from '../native-tensorflow.ts';
import { classifier, compiled } from './models.ts';
import { batchOf, step, stockStep, tracedBackend } from './training.ts';

let tf: LayersTf;
beforeAll(async () => {
  if (!WHY_NO_NATIVE) ({ tf } = await nativeTensorflow());
});

describe.skipIf(WHY_NO_NATIVE)('values that are new at each step', () => {
  it('of dropout are drawn in the graph, at the share of the layer', async () => {
    const model = compiled(tf, [
      tf.layers.dense({
        units: 2000,
        inputShape: [4],
        useBias: false,
        kernelInitializer: 'zeros',
        trainable: false,
      }),
      tf.layers.activation({ activation: 'sigmoid' }),
      tf.layers.dropout({ rate: 0.3 }),
      tf.layers.dense({ units: 3, useBias: false, kernelInitializer: 'ones', activation: 'softmax' }),
    ]);
    const { backend, said } = tracedBackend(tf, model);
    const masks: number[][] = [];
    for (let i = 0; i < 4; i += 1) {
      const { gradient, loss } = await backend.gradient(batchOf(1, 1));
      loss.dispose();
      // Each weight's gradient is its input, 0.5 / 0.7 where it was kept, times that of the output.
      masks.push([...((await gradient[0]?.tensor?.data()) ?? [])].filter((_, at) => at % 3 === 0));
      backend.release(gradient);
    }
    expect(said('gradient')).toMatchObject({ status: 'traced' });
    for (const mask of masks) {
      const kept = mask.filter((value) => value !== 0);
      expect(new Set(kept.map((value) => value.toFixed(5))).size).toBe(1);
      expect(Math.abs(kept.length / 2000 - 0.7)).toBeLessThan(0.05);
    }
    expect(new Set(masks.map((mask) => mask.map((value) => value !== 0).join())).size).toBe(4);
    await backend.endRun();
  });

  it('of other noise keep the gradient kernel by kernel, and nothing else', async () => {
    const model = classifier(tf, 'sgd', { between: [tf.layers.gaussianNoise({ stddev: 0.5 })] });
    const { backend, said } = tracedBackend(tf, model);
    const losses = new Set<number>();
    for (let i = 0; i < 8; i += 1) {
      losses.add(await step(backend, batchOf(12, 1), 0));
      const { loss, metrics } = await backend.evaluate(batchOf(12, 1));
      for (const value of [loss, ...Object.values(metrics)]) value.dispose();
    }
    expect(losses.size).toBe(8);
    expect(said('gradient')).toMatchObject({
      status: 'eager',
      reason: 'it computes values in JavaScript anew each time',
    });
    expect([said('update')?.status, said('evaluation')?.status]).toEqual(['traced', 'traced']);
    await backend.endRun();
  });

  it('of a seeded dropout are the same, as they are in TensorFlow.js', async () => {
    const build = () => classifier(tf, 'sgd', { between: [tf.layers.dropout({ rate: 0.5, seed: 3 })] });
    const [theirs, ours] = [build(), build()];
    const { backend, said } = tracedBackend(tf, ours);
    for (let i = 0; i < 6; i += 1) {
      const loss = await stockStep(tf, theirs, batchOf(12, i));
      expect(await step(backend, batchOf(12, i))).toBeCloseTo(loss, 5);
    }
    expect(said('gradient')?.status).toBe('traced');
    await backend.endRun();
  });
});

describe.skipIf(WHY_NO_NATIVE)('code that is not of TensorFlow.js', () => {
  const scaled = (by: { factor: number }) => {
    class Scaled extends tf.layers.Layer {
      override call(inputs: Parameters<InstanceType<typeof tf.layers.Layer>['call']>[0]) {
        return tf.mul([inputs].flat()[0] ?? [], by.factor);
      }
      static get className() {
        return 'Scaled';
      }
    }
    return new Scaled({});
  };

  it('in a layer is called at each step, unless the user says that it need not be', async () => {
    const by = { factor: 1 };
    for (const [options, expected] of [
      [{}, 'eager'],
      [{ traced: true }, 'traced'],
    ] as const) {
      by.factor = 1;
      const { backend, said } = tracedBackend(tf, classifier(tf, 'sgd', { between: [scaled(by)] }), options);
      const before = await step(backend, batchOf(12, 1), 0);
      by.factor = 3;
      const after = await step(backend, batchOf(12, 1), 0);
      expect(said('gradient')).toMatchObject({ status: expected });
      expect(after === before).toBe(expected === 'traced');
      await backend.endRun();
    }
  });

  it('in a loss is called at each step', async () => {
    const model = classifier(tf, 'sgd');
    model.compile({ optimizer: 'sgd', loss: (y, output) => tf.losses.softmaxCrossEntropy(y, output) });
    const { backend, said } = tracedBackend(tf, model);
    await step(backend, batchOf(12, 1));
    expect(said('gradient')?.reason).toBe('the function loss may do something else each time');
    model.compile({ optimizer: 'sgd', loss: tf.losses.softmaxCrossEntropy });
    const own = tracedBackend(tf, model);
    await step(own.backend, batchOf(12, 1));
    expect(own.said('gradient')?.status).toBe('traced');
    for (const it of [backend, own.backend]) await it.endRun();
  });

  it('in an optimizer is called at each step', async () => {
    let updates = 0;
    class Counting extends tf.SGDOptimizer {
      override applyGradients(...given: Parameters<InstanceType<typeof tf.SGDOptimizer>['applyGradients']>) {
        updates += 1;
        super.applyGradients(...given);
      }
    }
    const { backend, said } = tracedBackend(tf, classifier(tf, new Counting(0.1)));
    for (let i = 0; i < 6; i += 1) await step(backend, batchOf(12, 1));
    expect(updates).toBe(6);
    expect(said('update')).toMatchObject({ status: 'eager', reason: 'the optimizer is not its own' });
    expect(said('gradient')?.status).toBe('traced');
    await backend.endRun();
  });

  it('that looks at values is never traced', async () => {
    class Peeking extends tf.layers.Layer {
      override call(inputs: Parameters<InstanceType<typeof tf.layers.Layer>['call']>[0]) {
        const [tensor] = [inputs].flat();
        return tf.mul(tensor ?? [], 1 + Math.abs(tensor?.dataSync()[0] ?? 0));
      }
      static get className() {
        return 'Peeking';
      }
    }
    const { backend, said } = tracedBackend(tf, classifier(tf, 'sgd', { between: [new Peeking({})] }), {
      traced: true,
    });
    for (let i = 0; i < 4; i += 1) await step(backend, batchOf(12, i));
    expect(said('gradient')?.reason).toBe('it reads values in JavaScript on the way');
    await backend.endRun();
  });
});
