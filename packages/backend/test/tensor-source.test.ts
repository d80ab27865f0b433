import { describeSource, expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { tensorSource, tfjsBackend, type ArrayBatch } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { batchOf, classifier, furthest, tensorsOf, weightsOf } from './models.ts';

/** Every third example first, then the rest, whatever the epoch. */
const order = (size: number) => {
  const indices = Int32Array.from({ length: size }, (_, i) => (i * 3) % size);
  return {
    size,
    epoch: (_index: number, startAt = 0) => {
      let at = startAt;
      return { take: (count: number) => indices.subarray(at, (at += Math.min(count, size - at))) };
    },
  };
};

const { tf } = await loadEngine('wasm');

describeSource('tensorSource', () => tensorSource(order(20), tensorsOf(tf, batchOf(20))), {
  idsOf: ({ xs }: ArrayBatch) => [xs].flat().flatMap((rows) => ('indices' in rows ? [...rows.indices] : [])),
});

describe('tensorSource', () => {
  it('trains on the rows that the sampler names, whole and in parts, and leaks nothing', async () => {
    const tensors = tensorsOf(tf, batchOf(20));
    const batch = await tensorSource(order(20), tensors).epoch(0).take(5);
    if (!batch) throw new Error('no batch');
    const all = batchOf(20);
    const rows = [0, 3, 6, 9, 12];
    const pick = (rowsOf: ArrayBatch['xs'], width: number): ArrayBatch['xs'] => {
      if (!('data' in rowsOf)) throw new Error('arrays');
      const data = rows.flatMap((row) => [...rowsOf.data.subarray(row * width, (row + 1) * width)]);
      return { data: Float32Array.from(data), shape: [rows.length, width] };
    };
    const [byTensor, byArray] = [classifier(tf, tf.train.sgd(0.5)), classifier(tf, tf.train.sgd(0.5))];
    for (const [model, examples] of [
      [byTensor, batch],
      [byArray, { xs: pick(all.xs, 4), ys: pick(all.ys, 3) }],
    ] as const) {
      const backend = tfjsBackend(tf, model);
      expect(backend.sizeOf(examples)).toBe(5);
      await expectNoLeak(tf, async () => {
        let total;
        for (const part of backend.split(examples, 2)) {
          const { gradient, loss } = await backend.gradient(part);
          loss.dispose();
          total = backend.accumulate(total, gradient, backend.sizeOf(part) / 5);
        }
        if (!total) throw new Error('no parts');
        await backend.apply(total, 1);
        backend.release(total);
        await backend.endRun();
      });
    }
    expect(furthest(await weightsOf(byTensor), await weightsOf(byArray))).toBeLessThan(1e-6);
    expect(furthest(await weightsOf(byTensor), await weightsOf(classifier(tf, 'sgd')))).toBeGreaterThan(0.01);
  });

  it('refuses tensors of another length', () => {
    expect(() => tensorSource(order(7), tensorsOf(tf, batchOf(20)))).toThrow(
      'The sampler draws from 7 examples, but there are 20; make it for as many.',
    );
  });
});
