import { train, type Observer } from '@batchwise/core';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { tensorSource, tfjsBackend } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { halving, journal, rowsOf } from './runs.ts';
import { batchOf, classifier, imageClassifier, imagesOf, tensorsOf } from './models.ts';

vi.setConfig({ testTimeout: 60_000 });

// On Dawn's null device, which computes nothing: values are no matter here.
const { tf } = await loadEngine('webgpu', { webgpu: { dawn: ['backend=null'] } });

const device = (): { destroy(): void } => (tf.backend() as unknown as { device: { destroy(): void } }).device;

/** Takes the device away at an event of the loop. */
const losing = (event: 'onStepFinished' | 'onEpochFinished', at: number): Observer => {
  let count = 0;
  return { name: 'thief', [event]: () => void ((count += 1) === at && device().destroy()) };
};

const source = rowsOf(imagesOf(64, 8));
const stop = { epochs: 2 };

describe('a device that is lost', () => {
  it.each([
    ['with losses read at each step', ['loss'] as const],
    ['with losses read late', [] as const],
    ['with gradients measured', ['gradient', 'seconds'] as const],
  ])('in the middle of a run is replaced, and the step tried again, %s', async (_how, measure) => {
    const backend = tfjsBackend(tf, imageClassifier(tf, tf.train.adam(0.01), { normalised: true }));
    const controller = halving(16, { microBatchSize: 8, measure });
    await train({ backend, source, controller, stop });
    const notes = journal();
    const lost = device();
    const run = { backend, source, controller, stop, observers: [notes, losing('onStepFinished', 3)] };
    const summary = await expectNoLeak(tf, () => train(run));
    expect(summary).toMatchObject({ status: 'completed', examples: 128, step: 8 });
    expect(notes.failures.map(({ kind }) => kind)).toEqual(['deviceLost']);
    expect(device()).not.toBe(lost);
  });

  it.each(['sgd', 'momentum', 'adamax', 'rmsprop'] as const)('is replaced for %s too', async (name) => {
    const optimizer = {
      sgd: () => tf.train.sgd(0.1),
      momentum: () => tf.train.momentum(0.1, 0.9),
      adamax: () => tf.train.adamax(0.1),
      rmsprop: () => tf.train.rmsprop(0.1),
    }[name]();
    const backend = tfjsBackend(tf, classifier(tf, optimizer));
    const notes = journal();
    const summary = await train({
      backend,
      source: rowsOf(batchOf(24)),
      controller: halving(8),
      stop,
      observers: [notes, losing('onStepFinished', 2)],
    });
    expect([summary.examples, notes.failures.length]).toEqual([48, 1]);
  });

  it('before a validation is replaced, and the validation done', async () => {
    const backend = tfjsBackend(tf, imageClassifier(tf, tf.train.sgd(0.01)));
    const lost = device();
    const controller = halving(16, { measure: [] });
    const observers = [losing('onStepFinished', 4)];
    const summary = await train({ backend, source, controller, stop, validation: { source }, observers });
    expect(summary).toMatchObject({ status: 'completed', examples: 128, validation: { examples: 64 } });
    expect(device()).not.toBe(lost);
  });

  it('ends the run where the next one is lost before an update', async () => {
    const model = imageClassifier(tf, tf.train.sgd(0.01));
    const backend = tfjsBackend(tf, model);
    const call = model.call.bind(model);
    let lost = 0;
    model.call = (...args) => {
      lost += 1;
      device().destroy();
      return call(...args);
    };
    const run = train({ backend, source, controller: halving(16), stop });
    await expect(run).rejects.toMatchObject({
      code: 'deviceLost',
      message:
        'The GPU device was lost. Go on from what was saved, in a new process or page; if it happens again, choose ' +
        'smaller batches, close what else uses the GPU, or take engine "wasm".',
      cause: { name: 'DeviceLostError' },
    });
    expect(lost).toBe(2);
  });

  it('takes tensors with it that the user holds', async () => {
    const tensors = tensorsOf(tf, batchOf(24));
    // Uploaded with the first use.
    await tf.add(tensors.xs, 1).data();
    const order = { size: 24, epoch: () => ({ take: (count: number) => new Int32Array(count) }) };
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const run = train({
      backend,
      source: tensorSource(order, tensors),
      controller: halving(8),
      stop,
      observers: [losing('onStepFinished', 2)],
    });
    await expect(run).rejects.toThrow(
      'The examples were tensors on a GPU device that was lost. Give them as arrays in host memory',
    );
  });

  it('ends the run where there is no other', async () => {
    const backend = tfjsBackend(tf, imageClassifier(tf, tf.train.sgd(0.01)));
    const { gpu } = (globalThis as unknown as { navigator: unknown }).navigator as {
      gpu: { requestAdapter(): Promise<unknown> };
    };
    const find = gpu.requestAdapter;
    onTestFinished(() => void (gpu.requestAdapter = find));
    gpu.requestAdapter = () => Promise.resolve(null);
    const observers = [losing('onStepFinished', 2)];
    const run = train({ backend, source, controller: halving(16), stop, observers });
    await expect(run).rejects.toMatchObject({
      code: 'deviceLost',
      message: expect.stringContaining('No new one could be opened.') as string,
    });
  });
});
