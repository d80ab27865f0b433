import { train } from '@batchwise/core';
import { describeBackend } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { openModel } from '../src/compiled-model.ts';
import { tfjsBackend } from '../src/index.ts';
import { loadEngine, softwareVulkan, type LayersTf } from '../src/node/index.ts';
import { TrainingState } from '../src/training-state.ts';
import { Lifeline } from '../src/webgpu/lifeline.ts';
import { halving, journal, rowsOf } from './runs.ts';
import { batchOf, classifier, furthest, imageClassifier, imagesOf, tensorsOf, weightsOf } from './models.ts';

// A real WebGPU device, on the processor: the software Vulkan that an installed Chromium brings.
const isThere = softwareVulkan() !== undefined;
const WHY_NOT = 'no Chromium with SwiftShader is installed (Debian: apt install chromium)';
const load = async (): Promise<LayersTf> => (await loadEngine('webgpu')).tf;

if (isThere)
  describeBackend('tfjsBackend on webgpu', async () => {
    const tf = await load();
    return {
      backend: tfjsBackend(tf, classifier(tf, tf.train.sgd(0.1))),
      batch: batchOf,
      live: () => tf.memory().numTensors,
    };
  });

interface Device {
  destroy(): void;
  createBuffer(description: { readonly size: number }): object;
}
const deviceOf = (tf: LayersTf): Device => (tf.backend() as unknown as { device: Device }).device;

/** Has the device refuse one buffer: the `nth` that is made from now on. */
function refuseBuffer(tf: LayersTf, nth: number): void {
  const device = deviceOf(tf);
  const make = device.createBuffer.bind(device);
  let count = 0;
  device.createBuffer = (description) => {
    count += 1;
    if (count < nth) return make(description);
    device.createBuffer = make;
    const refused = make({ ...description, size: 2 ** 40 });
    // TensorFlow.js books it under the size that it asked for.
    return Object.defineProperty(refused, 'size', { value: description.size });
  };
}

describe('training on webgpu', () => {
  it('takes nothing from a step that failed but its examples', async ({ skip }) => {
    skip(!isThere, WHY_NOT);
    const tf = await load();
    const batch = imagesOf(8, 6);
    const run = async (microBatchSize: number, failAt?: number) => {
      // Batch statistics would differ with the micro-batch, and have moving averages to be spoilt.
      const model = imageClassifier(tf, tf.train.adam(0.01), { side: 6, normalised: true });
      const backend = tfjsBackend(tf, model);
      const notes = journal();
      const arm = { name: 'arm', onRunStarted: () => failAt && refuseBuffer(tf, failAt) };
      const controller = halving(8, { microBatchSize });
      await train({
        backend,
        source: rowsOf(batch),
        controller,
        stop: { epochs: 3 },
        observers: [notes, arm as object as typeof notes],
      });
      const weights = await weightsOf(model);
      model.dispose();
      return { ...notes, weights };
    };
    const clean = await run(4);
    for (const failAt of [20, 60]) {
      const failed = await run(8, failAt);
      expect(failed.failures.map(({ kind }) => kind)).toEqual(['outOfMemory']);
      expect(furthest(failed.losses, clean.losses)).toBeLessThan(1e-6);
      expect(furthest(failed.weights, clean.weights)).toBeLessThan(1e-6);
    }
  });

  it('repeats an update that failed in the middle, once', async ({ skip }) => {
    skip(!isThere, WHY_NOT);
    const tf = await load();
    const update = async (nth?: number) => {
      const model = classifier(tf, tf.train.adam(0.01));
      const backend = tfjsBackend(tf, model);
      for (let i = 0; i < 2; i += 1) {
        const { gradient, loss } = await backend.gradient(batchOf(6));
        loss.dispose();
        if (nth && i === 0) refuseBuffer(tf, nth);
        await backend.apply(gradient, 1);
        backend.release(gradient);
      }
      await backend.endRun();
      return weightsOf(model);
    };
    const clean = await update();
    for (const nth of [12, 25]) expect(furthest(await update(nth), clean)).toBeLessThan(1e-7);
    expect(furthest(clean, await weightsOf(classifier(tf, 'sgd')))).toBeGreaterThan(0.01);
  });

  it('goes on after a lost device from the weights kept last', async ({ skip }) => {
    skip(!isThere, WHY_NOT);
    const tf = await load();
    const model = classifier(tf, tf.train.adam(0.01));
    const notes = journal();
    const thief = {
      name: 'thief',
      onStepFinished: ({ step }: { step: number }) => void (step === 3 && deviceOf(tf).destroy()),
    };
    const source = rowsOf(batchOf(8));
    const run = { backend: tfjsBackend(tf, model), source, controller: halving(8), stop: { epochs: 6 } };
    await train({ ...run, observers: [notes, thief] });
    // Each step sees the same examples, so its loss tells how many updates the weights have seen.
    const [first = NaN, second = NaN] = notes.losses;
    expect(second).toBeLessThan(first - 1e-3);
    expect(furthest(notes.losses.slice(3), notes.losses.slice(0, 3))).toBeLessThan(1e-6);
  });

  it('renews what it keeps while it goes on', async ({ skip }) => {
    skip(!isThere, WHY_NOT);
    const tf = await load();
    const model = classifier(tf, tf.train.adam(0.01));
    const { xs, ys } = tensorsOf(tf, batchOf(8));
    const update = async (): Promise<number> => Number([await model.trainOnBatch(xs, ys)].flat()[0]);
    const state = new TrainingState(tf, openModel(model));
    let restored = 0;
    const lifeline = new Lifeline({ tf, state, onRestored: () => void (restored += 1) }, 2);
    await lifeline.begin();
    const weights: number[][] = [];
    for (let i = 0; i < 5; i += 1) {
      await update();
      lifeline.countUpdate();
      weights.push(await weightsOf(model));
    }
    deviceOf(tf).destroy();
    await lifeline.revive(new Error('lost'));
    expect(restored).toBe(1);
    // The fourth update is the last one that was kept; Adam goes on as from there.
    expect(await weightsOf(model)).toEqual(weights[3]);
    expect(model.optimizer.iterations).toBe(4);
    await expect(lifeline.revive(new Error('lost again'))).rejects.toMatchObject({ code: 'deviceLost' });
    await lifeline.end();
  });
});
