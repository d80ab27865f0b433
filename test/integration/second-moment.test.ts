import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train, type BatchController, type RunInfo } from '@batchwise/core';
import { builtInDigits, imageSource } from '@batchwise/data';
import { policy, withLearningRate, withSecondMoment } from '@batchwise/tuner';
import { expect, it } from 'vitest';

const [SMALL, LARGE] = [16, 256];
/** Steps of 16, and of 256 after them; Adam remembers a thousand. */
const [FIRST, THEN] = [60, 30];
const COORDINATES = 5000;
/** tr Σ / |G|², with G = 1 in each coordinate; the factor takes a coordinate to be ten times as noisy as the whole. */
const NOISE_SCALE = 300;

const growing: BatchController<number> = {
  name: 'growing',
  measures: [],
  start: () => planOf(0),
  next: (_step, steps) => planOf(steps + 1),
  recover: () => ({ kind: 'giveUp', message: 'It failed.' }),
};

function planOf(steps: number) {
  const batchSize = steps < FIRST ? SMALL : LARGE;
  return {
    plan: { batchSize, microBatchSize: batchSize, learningRateScale: 1 },
    reason: { code: 'written', text: 'As written.', numbers: {} },
    measure: [],
    state: steps,
    evidence: { noiseScale: NOISE_SCALE / 10 },
  };
}

/** The rate of each step, as the wrappers have it; the rule alone leaves it at 1. */
function scales(): readonly number[] {
  const controller = withLearningRate(withSecondMoment(growing), {
    rule: 'none',
    referenceBatchSize: SMALL,
    risePerStep: 10,
  });
  let decision = controller.start({
    datasetSize: undefined,
    plannedExamples: undefined,
    seed: 1,
    secondMoment: { decay: 0.999, updates: 0 },
  });
  return Array.from({ length: FIRST + THEN }, (_, step) => {
    const { plan } = decision;
    const { batchSize: examples, microBatchSize } = plan;
    const sizes = { examples, microBatchSize, totalExamples: (step + 1) * examples };
    decision = controller.next({ kind: 'applied', plan, ...sizes, warm: true }, decision.state);
    return plan.learningRateScale;
  });
}

/** How far TensorFlow.js's own Adam goes along the gradient in the steps of 256, mean over the coordinates. */
async function distance(sizeOf: (step: number) => number, scaleOf: (step: number) => number) {
  const { tf } = await loadEngine('cpu');
  const rate = 1e-6;
  const optimizer = tf.train.adam(rate);
  const weights = tf.variable(tf.zeros([COORDINATES]), true, 'weights');
  let before = 0;
  const mean = () => tf.tidy(() => Number(tf.mean(weights).dataSync()[0]));
  for (let step = 0; step < FIRST + THEN; step += 1) {
    if (step === FIRST) before = mean();
    (optimizer as unknown as { learningRate: number }).learningRate = rate * scaleOf(step);
    tf.tidy(() => {
      const deviation = Math.sqrt(NOISE_SCALE / sizeOf(step));
      const gradient = tf.randomNormal([COORDINATES], 1, deviation, 'float32', 7 + step);
      optimizer.applyGradients([{ name: weights.name, tensor: gradient }]);
    });
  }
  const went = before - mean();
  optimizer.dispose();
  weights.dispose();
  return went;
}

it('has Adam go as far with a larger batch as if it had never seen the smaller ones', async () => {
  const mixed = (step: number) => (step < FIRST ? SMALL : LARGE);
  const made = scales();
  const pure = await distance(
    () => LARGE,
    () => 1,
  );
  const uncorrected = await distance(mixed, () => 1);
  const corrected = await distance(mixed, (step) => made[step] ?? NaN);
  // √((1 + 300/16) / (1 + 300/256)) is 3.0 at first, less and less as the small ones are forgotten.
  expect(uncorrected / pure).toBeLessThan(0.5);
  expect(corrected / pure).toBeGreaterThan(0.95);
  expect(corrected / pure).toBeLessThan(1.05);
});

it('knows of the updates that Adam has made before the run', async () => {
  const { tf } = await loadEngine('cpu');
  const { train: digits, imageShape } = builtInDigits({ seed: 3, trainCount: 600, testCount: 10 });
  const source = imageSource(digits, { imageShape, classes: 10, shuffle: true, seed: 1, flat: true });
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 10, activation: 'softmax', inputShape: [784] })],
  });
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.99), loss: 'categoricalCrossentropy' });
  const runs: RunInfo[] = [];
  const scales: number[] = [];
  for (const sizes of [
    { minBatchSize: 256, maxBatchSize: 256, batchSize: 256 },
    { minBatchSize: 32, maxBatchSize: 32 },
  ])
    await train({
      backend: tfjsBackend(tf, model),
      source,
      controller: policy('goodput', sizes),
      stop: { epochs: 4 },
      observers: [
        {
          name: 'runs',
          onRunStarted: ({ run }) => void runs.push(run),
          onStepFinished: ({ outcome }) => void scales.push(outcome.plan.learningRateScale),
        },
      ],
    });
  model.dispose();
  // Two whole batches of 256 and one of 88 an epoch.
  expect(runs.map(({ secondMoment }) => secondMoment)).toEqual([
    { decay: 0.99, updates: 0 },
    { decay: 0.99, updates: 12 },
  ]);
  // Whose sizes are not known to the second run: the rate is not made up for them.
  expect(scales.slice(12).every((scale) => scale === 1)).toBe(true);
});
