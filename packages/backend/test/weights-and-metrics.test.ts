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
