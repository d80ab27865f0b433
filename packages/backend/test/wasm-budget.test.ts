import { train } from '@batchwise/core';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tfjsBackend } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { halving, journal, rowsOf } from './runs.ts';
import { batchOf, classifier, furthest, weightsOf } from './models.ts';

const { tf } = await loadEngine('wasm');

/** Books bytes that no tensor has, so that a full heap need not be filled. */
function pretendInUse(bytes: number): void {
  const { state } = tf.engine() as unknown as { state: { numBytes: number } };
  state.numBytes += bytes;
  onTestFinished(() => void (state.numBytes -= bytes));
}

const heapBytes = (): number =>
  (tf.backend() as unknown as { wasm: { HEAPU8: { length: number } } }).wasm.HEAPU8.length;

describe('a step that would run wasm out of its heap', () => {
  it('is refused before it does, and tried again in smaller parts', async () => {
    const whole = classifier(tf, tf.train.sgd(0.1));
    const parted = classifier(tf, tf.train.sgd(0.1));
    const run = { source: rowsOf(batchOf(4096)), stop: { epochs: 2 } };
    await train({ ...run, backend: tfjsBackend(tf, whole), controller: halving(4096) });
    const backend = tfjsBackend(tf, parted);
    const notes = journal();
    const { gradient, loss } = await backend.gradient(batchOf(4096));
    loss.dispose();
    backend.release(gradient);
    const taken = backend.memory().peakBytes - backend.memory().bytesInUse;
    await backend.endRun();
    pretendInUse(3.2e9 - 0.75 * taken - tf.memory().numBytes);
    await expectNoLeak(tf, () => train({ ...run, backend, controller: halving(4096), observers: [notes] }));
    expect(notes.failures.map(({ kind }) => kind)).toEqual(['outOfMemory']);
    expect(String(notes.failures[0]?.cause)).toBe(
      'WasmBudgetError: Tensors would take 3.20 GB of at most 3.20 GB on wasm.',
    );
    expect(notes.sizes).toEqual([2048, 2048]);
    expect(furthest(await weightsOf(parted), await weightsOf(whole))).toBeLessThan(1e-6);
  });

  it('leaves the heap as it was where it could never be done', async () => {
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const before = heapBytes();
    pretendInUse(3.2e9);
    const failed = expectNoLeak(tf, () => Promise.resolve(backend.gradient(batchOf(4))));
    const error: unknown = await failed.catch((cause: unknown) => cause);
    expect(backend.classify(error)).toBe('outOfMemory');
    expect(heapBytes()).toBe(before);
    // Outside of a step the engine is as it was.
    tf.dispose(tf.zeros([4]));
  });
});

describe('a model made ready for one engine', () => {
  it('is not trained on another', async () => {
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    await loadEngine('cpu');
    onTestFinished(async () => void (await tf.setBackend('wasm')));
    await expect(Promise.resolve(backend.gradient(batchOf(4)))).rejects.toMatchObject({
      code: 'invalidOptions',
      message:
        'The model was made ready for engine "wasm", but TensorFlow.js is set to "cpu" now. Train on one engine at a ' +
        "time: await tf.setBackend('wasm'), or make a new backend and model.",
    });
  });
});
