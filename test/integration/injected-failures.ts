import { tfjsBackend } from '@batchwise/backend';
import type { LayersTf } from '@batchwise/backend/node';
import { train, type BatchController, type Json, type Observer } from '@batchwise/core';
import { builtInDigits, imageSource } from '@batchwise/data';
import { failingAllocator } from '../support/failing-allocator.ts';

/** One failure to come: in a step, counted from 0, at one of the parts of the batch, after some allocations. */
export interface Injection {
  readonly step: number;
  /** Which part of a batch on its first try fails, counted from 0. */
  readonly part: number;
  readonly afterAllocations: number;
}

/** What a run left behind. */
export interface TrainedRun {
  readonly weights: readonly number[];
  /** Of each applied step: examples on the device at once. */
  readonly microBatchSizes: readonly number[];
  readonly failures: readonly string[];
  readonly examples: number;
}

/** Numbers in 0…1 by a seed (Marsaglia, xorshift32). */
export function drawsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const BATCH = 32;

const { train: digits, imageShape } = builtInDigits({ seed: 3, trainCount: 1600, testCount: 1 });

/** Dense 784-12-10 with Adam on the built-in digits, in batches of 32; `injections` are tried in turn. */
export async function trainedRun(
  tf: LayersTf,
  controller: BatchController<Json>,
  { steps, injections = [] }: { readonly steps: number; readonly injections?: readonly Injection[] },
): Promise<TrainedRun> {
  const model = makeModel(tf);
  const backend = tfjsBackend(tf, model);
  const allocator = failingAllocator(tf);
  const gradient = backend.gradient.bind(backend);
  const waiting = [...injections];
  const at = { step: 0, part: 0 };
  backend.gradient = (batch, ask) => {
    const next = waiting[0];
    const fails = next?.step === at.step && next.part === at.part;
    at.part += 1;
    if (!fails) return gradient(batch, ask);
    waiting.shift();
    return allocator.fail(next.afterAllocations, async () => gradient(batch, ask));
  };
  const microBatchSizes: number[] = [];
  const failures: string[] = [];
  const watch: Observer = {
    name: 'steps',
    onStepFinished: ({ outcome }) => {
      Object.assign(at, { step: at.step + 1, part: 0 });
      microBatchSizes.push(outcome.microBatchSize);
    },
    onStepFailed: ({ outcome }) => {
      at.part = 0;
      failures.push(outcome.kind);
    },
  };
  const { examples } = await train({
    backend,
    source: imageSource(digits, { imageShape, classes: 10, shuffle: true, seed: 1, flat: true }),
    controller,
    stop: { examples: BATCH * steps },
    observers: [watch],
  });
  const weights = model.getWeights().flatMap((tensor) => Array.from(tensor.dataSync()));
  model.dispose();
  model.optimizer.dispose();
  return { weights, microBatchSizes, failures, examples };
}

function makeModel(tf: LayersTf) {
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 4 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 12, activation: 'tanh', inputShape: [784], kernelInitializer }),
      tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer }),
    ],
  });
  // With a larger ε than usual: updates of weights with tiny gradients do not blow rounding up.
  model.compile({ optimizer: tf.train.adam(0.002, 0.9, 0.999, 1e-4), loss: 'categoricalCrossentropy' });
  return model;
}

/** The largest difference of two weights. */
export const furthest = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);

const decision = (microBatchSize: number, step: number) => ({
  plan: { batchSize: BATCH, microBatchSize, learningRateScale: 1 },
  reason: { code: 'test', text: 'said so', numbers: {} },
  measure: ['loss' as const],
  state: step,
});

/** Batches of 32 in parts of a given size for each step; never expects a failure. */
export function parts(sizeAt: (step: number) => number): BatchController<number> {
  const at = (step: number) => decision(sizeAt(step), step);
  return {
    name: 'parts',
    measures: ['loss'],
    start: () => at(0),
    next: (_step, step) => at(step + 1),
    recover: () => ({ kind: 'giveUp', message: 'No failure was expected.' }),
  };
}

/** Batches of 32 in parts of 16; a step that fails is tried again in parts of 8, the next one in parts of 16 again. */
export function forgetful(): BatchController<number> {
  return {
    ...parts(() => 16),
    name: 'forgetful',
    recover: (_step, step) => ({ kind: 'retry', decision: decision(8, step) }),
  };
}
