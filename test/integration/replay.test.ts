import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train, type BatchPlan } from '@batchwise/core';
import { builtInDigits, imageSource } from '@batchwise/data';
import { policy, replay, runTracer, type PolicyName, type RunTrace } from '@batchwise/tuner';
import { expect, it } from 'vitest';

it.each<[PolicyName, number]>([
  ['goodput', 2],
  ['knee', 2],
  // It may find that no other size is worth a move.
  ['noiseScale', 1],
])('a real run under %s, replayed from its own measurements, has the same plans', async (name, sizes) => {
  const { tf } = await loadEngine('wasm');
  const { train: digits, imageShape } = builtInDigits({ seed: 3, trainCount: 3000, testCount: 1 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 8, activation: 'relu', inputShape: [784] }),
      tf.layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.002), loss: 'categoricalCrossentropy' });
  const controller = () => policy(name, { optimizer: 'adam', batchSize: 4, ceiling: { batchSize: 10 } });
  const { observer, trace } = runTracer();
  const plans: BatchPlan[] = [];
  await train({
    backend: tfjsBackend(tf, model),
    source: imageSource(digits, { imageShape, classes: 10, shuffle: true, seed: 1, flat: true }),
    controller: controller(),
    stop: { examples: 12_000 },
    observers: [observer, { name: 'plans', onStepFinished: ({ outcome }) => void plans.push(outcome.plan) }],
  });
  model.dispose();
  const written = JSON.parse(JSON.stringify(trace())) as RunTrace;
  const decisions = replay(controller(), written);
  expect(decisions.slice(0, -1).map(({ plan }) => plan)).toEqual(plans);
  expect(new Set(plans.map(({ batchSize }) => batchSize)).size).toBeGreaterThanOrEqual(sizes);
});
