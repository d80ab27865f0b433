import type { ArrayBatch } from '@batchwise/backend';
import type { LayersTf } from '@batchwise/backend/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE, type NativeTensorflow } from '../native-tensorflow.ts';
import { classifier } from './models.ts';
import { batchOf, furthest, noise, step, stockStep, tracedBackend, weightsOf } from './training.ts';

const EXAMPLES = 40;

/** Twelve rows that differ from step to step, some of them twice. */
const indicesOf = (seed: number): Int32Array =>
  Int32Array.from(noise(12, seed), (value) => Math.floor(((value + 1) * EXAMPLES) / 2));

/** The rows of arrays, in host memory. */
function picked(rows: ArrayBatch['xs'], indices: Int32Array): ArrayBatch['xs'] {
  if (!('data' in rows)) throw new Error('arrays');
  const width = rows.data.length / EXAMPLES;
  const values = [...indices].flatMap((row) => [...rows.data.subarray(row * width, (row + 1) * width)]);
  return { data: Float32Array.from(values), shape: [indices.length, ...rows.shape.slice(1)] };
}

describe.skipIf(WHY_NO_NATIVE)('a traced step on rows of tensors', () => {
  let native: NativeTensorflow;
  let tf: LayersTf;
  beforeAll(async () => {
    native = await nativeTensorflow();
    ({ tf } = native);
  });

  const resident = (rows: ArrayBatch['xs']) => {
    if (!('data' in rows)) throw new Error('arrays');
    return tf.tensor(rows.data, [...rows.shape]);
  };

  /** The operations that TensorFlow is asked for one by one. */
  async function askedFor(work: () => Promise<unknown>): Promise<string[]> {
    const backend = tf.backend() as unknown as {
      binding: { executeOp: (name: string, ...rest: readonly unknown[]) => unknown };
    };
    const { binding } = backend;
    const asked: string[] = [];
    const executeOp = (name: string, ...rest: readonly unknown[]) => {
      asked.push(name);
      return binding.executeOp(name, ...rest);
    };
    backend.binding = Object.create(binding, { executeOp: { value: executeOp } }) as typeof binding;
    try {
      await work();
    } finally {
      backend.binding = binding;
    }
    return asked;
  }

  it('gathers them inside of the graph, whether or not they share their indices', async () => {
    const all = batchOf(EXAMPLES, 1);
    const [xs, ys] = [resident(all.xs), resident(all.ys)];
    const [theirs, ours] = [1, 2].map(() => classifier(tf, tf.train.adam(0.01)));
    if (!theirs || !ours) throw new Error('two models');
    const { backend, said } = tracedBackend(tf, ours);
    const before = { tensors: 0, handles: 0 };
    for (let i = 0; i < 30; i += 1) {
      const indices = indicesOf(i);
      const other = i % 2 === 0 ? indices : indices.slice();
      const batch = { xs: { tensor: xs, indices }, ys: { tensor: ys, indices: other } };
      let loss = NaN;
      const asked = await askedFor(async () => (loss = await step(backend, batch)));
      const right = await stockStep(tf, theirs, { xs: picked(all.xs, indices), ys: picked(all.ys, other) });
      expect(Math.abs(loss - right), `step ${i}`).toBeLessThan(1e-5);
      // The slots of both optimizers are there, and both kinds of batches have been traced, the second at its eighth use.
      if (i === 15) Object.assign(before, { tensors: tf.memory().numTensors, handles: native.handles() });
      if (i > 15) expect(asked, `step ${i}`).toEqual([]);
    }
    expect(said('gradient')?.status).toBe('traced');
    expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-5);
    expect({ tensors: tf.memory().numTensors, handles: native.handles() }).toEqual(before);
    await backend.endRun();
    tf.dispose([xs, ys]);
  });

  it('refuses a row that is not there, as TensorFlow.js does, and leaves nothing', async () => {
    const all = batchOf(EXAMPLES, 1);
    const [xs, ys] = [resident(all.xs), resident(all.ys)];
    const { backend, said } = tracedBackend(tf, classifier(tf, 'sgd'));
    const batch = (indices: Int32Array) => ({ xs: { tensor: xs, indices }, ys: { tensor: ys, indices } });
    for (let i = 0; i < 4; i += 1) await step(backend, batch(indicesOf(i)));
    expect(said('gradient')?.status).toBe('traced');
    const before = { tensors: tf.memory().numTensors, handles: native.handles() };
    const outside = indicesOf(5).fill(EXAMPLES, 3, 4);
    await expect(step(backend, batch(outside))).rejects.toThrow(
      `the index value ${EXAMPLES} is not in [0, ${EXAMPLES - 1}]`,
    );
    expect({ tensors: tf.memory().numTensors, handles: native.handles() }).toEqual(before);
    expect(await step(backend, batch(indicesOf(6)))).toBeGreaterThan(0);
    await backend.endRun();
    tf.dispose([xs, ys]);
  });

  it('takes one tensor for the inputs and the targets, and others in its place', async () => {
    const build = () => {
      const kernel = (seed: number) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ units: 3, inputShape: [4], activation: 'tanh', ...kernel(1) }),
          tf.layers.dense({ units: 4, ...kernel(2) }),
        ],
      });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
      return model;
    };
    const [theirs, ours] = [build(), build()];
    const { backend, said } = tracedBackend(tf, ours);
    for (let i = 0; i < 12; i += 1) {
      const { xs } = batchOf(EXAMPLES, i);
      const tensor = resident(xs);
      const target = i % 3 === 2 ? resident(xs) : i % 3 === 1 ? tensor.clone() : tensor;
      const indices = indicesOf(i);
      const loss = await step(backend, { xs: { tensor, indices }, ys: { tensor: target, indices } });
      const right = await stockStep(tf, theirs, { xs: picked(xs, indices), ys: picked(xs, indices) });
      expect(Math.abs(loss - right), `step ${i}`).toBeLessThan(1e-5);
      tf.dispose([tensor, target]);
    }
    expect(said('gradient')?.status).toBe('traced');
    await backend.endRun();
  });

  it('evaluates them', async () => {
    const all = batchOf(EXAMPLES, 1);
    const [xs, ys] = [resident(all.xs), resident(all.ys)];
    const model = classifier(tf, 'sgd');
    const traced = tracedBackend(tf, model);
    const eager = tracedBackend(tf, model, { traced: false });
    for (let i = 0; i < 12; i += 1) {
      const indices = indicesOf(i);
      const losses: number[] = [];
      for (const { backend } of [traced, eager]) {
        const { loss, metrics } = await backend.evaluate({
          xs: { tensor: xs, indices },
          ys: { tensor: ys, indices },
        });
        for (const metric of Object.values(metrics)) metric.dispose();
        losses.push(await loss.read());
      }
      expect(losses[0]).toBeCloseTo(losses[1] ?? NaN, 5);
    }
    expect(traced.said('evaluation')?.status).toBe('traced');
    await traced.backend.endRun();
    tf.dispose([xs, ys]);
  });
});
