import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train, type AppliedStep, type BatchController, type BatchSource, type Json } from '@batchwise/core';
import { knee } from '@batchwise/tuner';
import { describe, expect, it } from 'vitest';

// WebGPU compiles its programs when they are first used; Dawn's null device does so too, and then computes nothing.
const { tf } = await loadEngine('webgpu', { webgpu: { dawn: ['backend=null'] } });
const device = tf.backend() as unknown as { pipelineCache: object };
const programs = (): number => Object.keys(device.pipelineCache).length;

/** Without an end, so that the size of the batch is bound by nothing. */
const source: BatchSource<ArrayBatch> = {
  size: undefined,
  epoch: () => ({
    take(count) {
      const rows = (width: number) => ({ data: new Float32Array(count * width), shape: [count, width] });
      return { xs: rows(6), ys: rows(3) };
    },
  }),
};

/** Three plain steps, a measured one and two plain ones at each size. */
const sizes = [32, 128, 100, 32, 7];
const scripted: BatchController<number> = {
  name: 'scripted',
  measures: ['seconds', 'gradient'],
  start: () => decide(0),
  next: (_step, state) => decide(state + 1),
  recover: () => ({ kind: 'giveUp', message: 'gave up' }),
};
function decide(step: number) {
  const batchSize = sizes[Math.floor(step / 6)] ?? 7;
  return {
    plan: { batchSize, microBatchSize: batchSize, learningRateScale: 1 },
    reason: { code: 'test', text: 'said so', numbers: {} },
    measure: step % 6 === 3 ? (['seconds', 'gradient'] as const) : (['seconds'] as const),
    state: step,
  };
}

/** What each step compiled. */
async function compiledBy<State extends Json>(controller: BatchController<State>, examples: number) {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, inputShape: [6], activation: 'relu' }),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
  const steps: { readonly step: AppliedStep; readonly compiled: number }[] = [];
  // As in a new process.
  device.pipelineCache = {};
  let before = 0;
  await train({
    backend: tfjsBackend(tf, model),
    source,
    controller,
    stop: { examples },
    observers: [
      {
        name: 'programs',
        onStepFinished: ({ outcome }) => {
          steps.push({ step: outcome, compiled: programs() - before });
          before = programs();
        },
      },
    ],
  });
  return steps;
}

describe('on webgpu, the time of a batch size', () => {
  it.for(['scripted', 'knee'])('is taken of no step that compiles (%s)', async (name) => {
    const steps =
      name === 'knee'
        ? await compiledBy(
            knee({ maxBatchSize: 256, exploration: { warmUpSteps: 3, shareOfRun: 0.5 } }),
            4000,
          )
        : await compiledBy(scripted, 1800);
    const ofSize = new Set(steps.map(({ step }) => step.plan.batchSize));
    expect(ofSize.size).toBeGreaterThan(1);
    // What a controller may take for the time of a size: warm, whole, and not split to be measured.
    const timed = steps.filter(
      ({ step }) => step.warm && step.gradient === undefined && step.examples === step.plan.batchSize,
    );
    expect(timed.length).toBeGreaterThan(steps.length / 2);
    expect(timed.filter(({ compiled }) => compiled > 0)).toEqual([]);
    const rest = steps.filter((step) => !timed.includes(step));
    expect(rest.reduce((sum, { compiled }) => sum + compiled, 0)).toBeGreaterThan(0);
  });
});
