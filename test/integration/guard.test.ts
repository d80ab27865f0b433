import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train, type Evaluation } from '@batchwise/core';
import { builtInDigits, imageSource } from '@batchwise/data';
import { fixed, policy, withGuard, withLearningRate } from '@batchwise/tuner';
import { expect, it } from 'vitest';

/** Dense 784-16-10 on the built-in digits, by plain SGD. */
async function setUp(learningRate: number) {
  const { tf } = await loadEngine('wasm');
  const { train: digits, test, imageShape } = builtInDigits({ seed: 3, trainCount: 2000, testCount: 400 });
  const source = (images: typeof digits, shuffle: boolean) =>
    imageSource(images, { imageShape, classes: 10, shuffle, seed: 1, flat: true });
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 4 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 16, activation: 'relu', inputShape: [784], kernelInitializer }),
      tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer }),
    ],
  });
  model.compile({
    optimizer: tf.train.sgd(learningRate),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return { backend: tfjsBackend(tf, model), source: source(digits, true), test: source(test, false), model };
}

const accuracyOf = (evaluation: Evaluation | undefined): number => evaluation?.metrics['acc'] ?? NaN;

it('mends a run whose learning rate grows until the loss explodes, which ruins it without the guard', async () => {
  // The rate goes up by a third every ten steps: sound at first, far too high after some hundred steps.
  const growing = () =>
    withLearningRate(fixed(32), { rule: () => 4000, referenceBatchSize: 32, risePerStep: 0.03 });
  const reasons: string[] = [];
  const outcome = async (guarded: boolean) => {
    const { backend, source, test, model } = await setUp(0.02);
    const controller = guarded ? withGuard(growing()) : growing();
    const { validation } = await train({
      backend,
      source,
      controller: controller as ReturnType<typeof withGuard>,
      stop: { examples: 32 * 400 },
      validation: { source: test, everyExamples: 32 * 400 },
      observers: [{ name: 'reasons', onPlanChanged: ({ reason }) => void reasons.push(reason.code) }],
    });
    model.dispose();
    return accuracyOf(validation);
  };
  const mended = await outcome(true);
  expect(reasons.filter((code) => code === 'exploded' || code === 'non-finite').length).toBeGreaterThan(0);
  expect(mended).toBeGreaterThan(0.6);
  const ruined = await outcome(false).catch(() => 0);
  expect(ruined).toBeLessThan(0.3);
});

it('does not touch a run that goes well', async () => {
  const { backend, source, test, model } = await setUp(0.1);
  const codes = new Set<string>();
  const { totals, validation } = await train({
    backend,
    source,
    controller: policy('goodput', { optimizer: 'sgd' }),
    stop: { epochs: 6 },
    validation: { source: test },
    observers: [{ name: 'reasons', onStepFinished: ({ reason }) => void codes.add(reason.code) }],
  });
  model.dispose();
  expect([...codes]).not.toContain('exploded');
  expect(accuracyOf(validation)).toBeGreaterThan(0.8);
  expect(totals.tuningSeconds).toBeLessThan(totals.seconds);
});
