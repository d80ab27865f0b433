import { train } from '@batchwise/core';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it, vi } from 'vitest';
import { tfjsBackend, type ArrayBatch } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { halving, journal, rowsOf } from './runs.ts';
import { batchOf, classifier, imageClassifier } from './models.ts';

/*
 * On Dawn's null device: it checks and counts like a real one of 512 MiB, and computes nothing. Its losses are what
 * happens to be in a buffer, so values are no matter here.
 */
vi.setConfig({ testTimeout: 60_000 });
const MEGABYTE = 2 ** 20;
const { tf, limits } = await loadEngine('webgpu', { webgpu: { dawn: ['backend=null'] } });

const allocated = (): number =>
  (tf.memory() as unknown as { numBytesAllocatedInGPU: number }).numBytesAllocatedInGPU;

/** Images with nothing on them, as nothing is computed. */
const imagesOf = (size: number, side: number): ArrayBatch => ({
  xs: { data: new Float32Array(size * side * side), shape: [size, side, side, 1] },
  ys: { data: new Float32Array(size * 3), shape: [size, 3] },
});

/** As many tensors of that many bytes as the device has room for. Buffers of the same size that were freed go first. */
function fillDevice(bytes: number): { dispose(): void } {
  const tensors: ReturnType<typeof tf.fill>[] = [];
  const fits = (): boolean => allocated() + bytes <= 512 * MEGABYTE;
  const before = allocated();
  while (allocated() === before || fits()) tensors.push(tf.fill([bytes / 4], 1));
  return { dispose: () => tf.dispose(tensors) };
}

/** One layer without a bias, and examples for it. */
function wide(inputs: number, units: number, optimizer: ReturnType<typeof tf.train.adam>) {
  const model = tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [inputs], useBias: false })] });
  model.compile({ optimizer, loss: 'meanSquaredError' });
  const rows = (width: number) => ({ data: new Float32Array(2 * width), shape: [2, width] });
  return { model, batch: { xs: rows(inputs), ys: rows(units) }, bytes: 4 * inputs * units };
}

/** One gradient, thrown away. */
async function gradientOf(
  backend: ReturnType<typeof tfjsBackend>,
  size: number,
  side: number,
): Promise<void> {
  const { gradient, loss } = await backend.gradient(imagesOf(size, side));
  loss.dispose();
  backend.release(gradient);
}

describe('a step that is too large for the device', () => {
  it('is tried again in smaller parts with the same examples, and leaves nothing', async () => {
    // 26 · 26 · 4 activations of 4 bytes: 87 MB per tensor at 8,000 images, and seven of them.
    const model = imageClassifier(tf, tf.train.adam(0.01), { side: 28 });
    const backend = tfjsBackend(tf, model);
    const source = rowsOf(imagesOf(16_000, 28));
    const warm = rowsOf(imagesOf(16, 28));
    await train({ backend, source: warm, controller: halving(16), stop: { epochs: 1 } });
    const notes = journal();
    const memory: number[] = [];
    const run = { backend, source, controller: halving(8000, { measure: ['memory'] }), stop: { epochs: 1 } };
    const watcher = {
      name: 'memory',
      onStepFinished: ({ outcome }: { outcome: { memory?: { peakBytes: number } } }) =>
        void memory.push(outcome.memory?.peakBytes ?? NaN),
    };
    const summary = await expectNoLeak(tf, () => train({ ...run, observers: [notes, watcher] }));
    expect(summary).toMatchObject({ status: 'completed', examples: 16_000, step: 2 });
    expect(notes.failures.map(({ kind }) => kind)).toEqual(['outOfMemory']);
    expect(String(notes.failures[0]?.cause)).toMatch(/^GPUOutOfMemoryError: /);
    expect(notes.sizes).toEqual([4000, 4000]);
    // Only what fitted was in use: more than the activations of a part, and no more than there is.
    for (const peak of memory) {
      expect(peak).toBeGreaterThan(4000 * 26 * 26 * 4 * 4 * 3);
      expect(peak).toBeLessThan(512 * MEGABYTE);
    }
  });

  it.each([
    ['may be bound', 3500, 'larger than the maximum storage buffer binding size'],
    ['may be made', 6500, 'exceeds the max buffer size limit'],
  ])('is recognised where one tensor has more than %s', async (_what, size, message) => {
    const backend = tfjsBackend(tf, imageClassifier(tf, tf.train.sgd(0.1), { side: 28, filters: 16 }));
    expect(size * 26 * 26 * 16 * 4).toBeGreaterThan(limits.tensorBytes ?? Infinity);
    const failed = expectNoLeak(tf, () => Promise.resolve(backend.evaluate(imagesOf(size, 28))));
    await expect(failed).rejects.toThrow(message);
    const error: unknown = await failed.catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: 'GPUValidationError' });
    expect(backend.classify(error)).toBe('outOfMemory');
    await expectNoLeak(tf, () => gradientOf(backend, 16, 28));
  });

  it('is recognised where a batch passes the number of workgroups', async () => {
    const backend = tfjsBackend(tf, imageClassifier(tf, tf.train.sgd(0.1), { side: 4, filters: 1 }));
    const error: unknown = await gradientOf(backend, 65_536, 4).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ message: 'Dispatch size exceeds WebGPU limits in Y or Z dimension.' });
    expect(backend.classify(error)).toBe('outOfMemory');
  });

  it('is thrown on where it is no matter of size', async () => {
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const { xs } = batchOf(4);
    const { ys } = batchOf(5);
    const error: unknown = await expectNoLeak(tf, () => backend.gradient({ xs, ys })).catch(
      (cause: unknown) => cause,
    );
    expect(backend.classify(error)).toBe('other');
  });
});

describe('buffers', () => {
  it('of earlier sizes are given back, and those in use are kept', async () => {
    const backend = tfjsBackend(tf, imageClassifier(tf, tf.train.sgd(0.1), { side: 28 }));
    await gradientOf(backend, 100, 28);
    const alone = allocated();
    for (const size of [200, 300, 400, 500]) await gradientOf(backend, size, 28);
    const largest = allocated();
    // Only the last size is held: in proportion, apart from weights and uniforms.
    expect(largest).toBeLessThan(5.5 * alone);
    await gradientOf(backend, 500, 28);
    expect(allocated()).toBe(largest);
    await gradientOf(backend, 100, 28);
    expect(allocated()).toBeLessThan(1.2 * alone);
  });

  it('of a whole and a last, smaller part are kept side by side', async () => {
    const backend = tfjsBackend(tf, imageClassifier(tf, tf.train.sgd(0.1), { side: 28 }));
    for (const size of [500, 100, 500]) await gradientOf(backend, size, 28);
    const both = allocated();
    for (const size of [100, 500, 100]) {
      await gradientOf(backend, size, 28);
      expect(allocated()).toBe(both);
    }
  });

  it('of another size are no reason to fail', async () => {
    const backend = tfjsBackend(tf, imageClassifier(tf, tf.train.sgd(0.1), { side: 28 }));
    for (const size of [4000, 3990]) await gradientOf(backend, size, 28);
    const one = allocated();
    // Both do not fit, as the first of them has no place beside the second one's.
    expect(2 * one).toBeGreaterThan(512 * MEGABYTE);
    await gradientOf(backend, 4000, 28);
    expect(allocated()).toBeLessThan(512 * MEGABYTE);
  });
});

describe('what fails where it cannot be waited for', () => {
  it('is told before the update, and leaves nothing', async () => {
    const { model, batch, bytes } = wide(4096, 2048, tf.train.adam());
    const backend = tfjsBackend(tf, model);
    await expectNoLeak(tf, async () => {
      const [a, b] = [await backend.gradient(batch), await backend.gradient(batch)];
      a.loss.dispose();
      b.loss.dispose();
      const half = backend.accumulate(undefined, a.gradient, 0.5);
      await expect(backend.confirm?.()).resolves.toBeUndefined();
      const full = fillDevice(bytes);
      const total = backend.accumulate(half, b.gradient, 0.5);
      const failed = Promise.resolve(backend.confirm?.());
      await expect(failed).rejects.toMatchObject({ name: 'GPUOutOfMemoryError' });
      full.dispose();
      backend.release(total);
      // Told once.
      await expect(backend.confirm?.()).resolves.toBeUndefined();
    });
    model.dispose();
  });

  it('is no update: weights and slots are what they were', async () => {
    const optimizer = tf.train.adam(0.1);
    const { model, batch, bytes } = wide(1024, 2048, optimizer);
    const backend = tfjsBackend(tf, model);
    const { gradient, loss } = await backend.gradient(batch);
    loss.dispose();
    const full = fillDevice(bytes);
    const weights = (): object[] => model.weights.map((weight) => weight.read().dataId);
    const before = { weights: weights(), iterations: optimizer.iterations };
    const failed = expectNoLeak(tf, () => Promise.resolve(backend.apply(gradient, 1)));
    await expect(failed).rejects.toMatchObject({
      code: 'outOfMemory',
      message:
        'The update of the weights did not fit on the GPU; nothing was applied. Close what else uses the GPU, make the ' +
        'model smaller, or take an optimizer that keeps less per weight, such as "sgd".',
      cause: { name: 'GPUOutOfMemoryError' },
    });
    expect({ weights: weights(), iterations: optimizer.iterations }).toEqual(before);
    // Its counter alone.
    expect(await optimizer.getWeights()).toHaveLength(1);
    full.dispose();
    await backend.apply(gradient, 1);
    expect(weights()).not.toEqual(before.weights);
    expect(await optimizer.getWeights()).toHaveLength(3);
    backend.release(gradient);
  });
});
