import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { tfjsBackend, type ArrayBatch } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { batchOf, classifier, furthest, tensorsOf } from './models.ts';

describe('weights and metrics of training', () => {
  it('multiplies the loss of each example by its weight, whole and in parts', async () => {
    const { tf } = await loadEngine('cpu');
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const values = Float32Array.of(2, 0, 1, 0.5, 3);
    const plain = batchOf(5);
    const weighted = { ...plain, weights: [{ data: values, shape: [5] }] };
    const sum = async (parts: readonly ArrayBatch[], weightOf: (i: number) => number) => {
      let total;
      let lossSum = 0;
      for (const [i, part] of parts.entries()) {
        const { gradient, loss } = await backend.gradient(part);
        lossSum += (await loss.read()) * weightOf(i);
        total = backend.accumulate(total, gradient, weightOf(i));
      }
      if (!total) throw new Error('no parts');
      const flat = await Promise.all(total.map(async ({ tensor }) => [...((await tensor?.data()) ?? [])]));
      backend.release(total);
      return [lossSum, ...flat.flat()];
    };
    await expectNoLeak(tf, async () => {
      // (1/5) Σ w_i g_i, example by example
      const expected = await sum(backend.split(plain, 1), (i) => (values[i] ?? NaN) / 5);
      expect(furthest(expected, await sum([weighted], () => 1))).toBeLessThan(1e-6);
      const inParts = await sum(backend.split(weighted, 3), (i) => (i === 0 ? 3 : 2) / 5);
      expect(furthest(expected, inParts)).toBeLessThan(1e-6);
      expect(furthest(expected, await sum([plain], () => 1))).toBeGreaterThan(0.01);
    });
  });

  it('hands out the metrics of trainOnBatch, under its names', async () => {
    const { tf } = await loadEngine('cpu');
    const model = classifier(tf, tf.train.sgd(0));
    const { xs, ys } = tensorsOf(tf, batchOf(30));
    const expected = (await model.trainOnBatch(xs, ys)) as number[];
    const seen: number[] = [];
    const backend = tfjsBackend(tf, model, {
      onTrainingMetrics: (metrics, examples) => {
        expect(examples).toBe(30);
        expect(Object.keys(metrics)).toEqual(['acc']);
        void metrics['acc']?.read().then((value) => seen.push(value));
      },
    });
    await expectNoLeak(tf, async () => {
      const { gradient, loss } = await backend.gradient(batchOf(30));
      backend.release(gradient);
      expect(await loss.read()).toBeCloseTo(expected[0] ?? NaN, 6);
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeCloseTo(expected[1] ?? NaN, 6);
  });

  it('evaluates two metrics of one name without losing either', async () => {
    const { tf } = await loadEngine('cpu');
    const model = classifier(tf, 'sgd');
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['acc', 'accuracy'] });
    const { loss, metrics } = await tfjsBackend(tf, model).evaluate(batchOf(30));
    loss.dispose();
    expect(Object.keys(metrics)).toEqual(['acc_0', 'acc_1']);
    expect(await metrics['acc_0']?.read()).toBe(await metrics['acc_1']?.read());
  });
});

describe('the loss of each example', () => {
  it('is what the example costs alone, whatever its weight', async () => {
    const { tf } = await loadEngine('cpu');
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const batch = { ...batchOf(5), weights: [{ data: Float32Array.of(2, 0, 1, 0.5, 3), shape: [5] }] };
    await expectNoLeak(tf, async () => {
      const { gradient, loss, exampleLosses } = await backend.gradient(batch, { exampleLosses: true });
      backend.release(gradient);
      loss.dispose();
      const alone: number[] = [];
      for (const part of backend.split(batchOf(5), 1)) {
        const evaluation = await backend.evaluate(part);
        alone.push(await evaluation.loss.read());
        for (const metric of Object.values(evaluation.metrics)) metric.dispose();
      }
      expect(furthest(alone, [...((await exampleLosses?.read()) as readonly number[])])).toBeLessThan(1e-6);
      expect(new Set(alone).size).toBe(5);
    });
  });

  it('is the mean over the steps of a sequence, where one weight goes for all of them', async () => {
    const { tf } = await loadEngine('cpu');
    const model = tf.sequential({
      layers: [tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 1 }), inputShape: [3, 2] })],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    model.setWeights([tf.tensor2d([[1], [1]]), tf.tensor1d([0])]);
    const xs = { data: Float32Array.of(1, 0, 2, 0, 3, 0, 0, 0, 0, 1, 0, 2), shape: [2, 3, 2] };
    const ys = { data: new Float32Array(6), shape: [2, 3, 1] };
    const weights = [{ data: Float32Array.of(3, 1), shape: [2] }];
    const backend = tfjsBackend(tf, model);
    const { gradient, loss, exampleLosses } = await backend.gradient(
      { xs, ys, weights },
      { exampleLosses: true },
    );
    backend.release(gradient);
    // Outputs 1, 2, 3 and 0, 1, 2 against zeros: (1 + 4 + 9)/3 and (0 + 1 + 4)/3.
    const losses = (await exampleLosses?.read()) as readonly number[];
    expect(losses[0]).toBeCloseTo(14 / 3, 5);
    expect(losses[1]).toBeCloseTo(5 / 3, 5);
    expect(await loss.read()).toBeCloseTo((3 * 14 + 5) / 6, 5);
  });

  it('is refused where the loss of the model has none', async () => {
    const { tf } = await loadEngine('cpu');
    const model = classifier(tf, 'sgd');
    const mean = (target: unknown, output: unknown) =>
      tf.losses.meanSquaredError(target as never, output as never);
    model.compile({ optimizer: 'sgd', loss: mean });
    await expectNoLeak(tf, async () => {
      const asked = tfjsBackend(tf, model).gradient(batchOf(5), { exampleLosses: true });
      await expect(asked).rejects.toThrow('Loss 1 of the model has no value per example.');
    });
  });
});
