import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import { loadEngine, type LayersTf } from '@batchwise/backend/node';
import { train, type BatchController, type GradientMoments } from '@batchwise/core';
import { builtInDigits, imageSource } from '@batchwise/data';
import { addSample, noiseScale, type NoiseScaleState } from '@batchwise/noise-scale';
import { describe, expect, it } from 'vitest';

const EXAMPLES = 512;

async function setUp(tf: LayersTf) {
  const { train: digits, imageShape } = builtInDigits({ seed: 3, trainCount: EXAMPLES, testCount: 1 });
  const source = imageSource(digits, { imageShape, classes: 10, shuffle: true, seed: 1, flat: true });
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 4 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 12, activation: 'relu', inputShape: [784], kernelInitializer }),
      tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer }),
    ],
  });
  // Frozen weights: the update is made, at a rate of zero.
  model.compile({ optimizer: tf.train.sgd(0), loss: 'categoricalCrossentropy' });
  return { source, backend: tfjsBackend(tf, model) };
}

/** |G|² and tr Σ of the whole data set, from the gradient of each example alone. */
async function exactTruth({ source, backend }: Awaited<ReturnType<typeof setUp>>) {
  const cursor = source.epoch(0);
  let meanSquaredNorm = 0;
  let mean: Awaited<ReturnType<typeof backend.gradient>>['gradient'] | undefined;
  for (let batch: ArrayBatch | undefined; (batch = await cursor.take(1));) {
    const { gradient, loss } = await backend.gradient(batch);
    loss.dispose();
    meanSquaredNorm += (await backend.dot(gradient, gradient).read()) / EXAMPLES;
    mean = backend.accumulate(mean, gradient, 1 / EXAMPLES);
  }
  if (!mean) throw new Error('no examples');
  const ofMean = await backend.dot(mean, mean).read();
  backend.release(mean);
  const trace = ((meanSquaredNorm - ofMean) * EXAMPLES) / (EXAMPLES - 1);
  // Batches are drawn without replacement, so the estimator sees |G|² of the population that they stand for.
  return { trace, squaredNorm: ofMean - trace / EXAMPLES };
}

/** Measures each step, changes nothing. */
const measuring = (batchSize: number, microBatchSize: number): BatchController<null> => {
  const decision = {
    plan: { batchSize, microBatchSize, learningRateScale: 1 },
    reason: { code: 'measure', text: 'Measures each step.', numbers: {} },
    measure: ['loss', 'gradient'],
    state: null,
  } as const;
  return {
    name: 'measuring',
    measures: decision.measure,
    start: () => decision,
    next: () => decision,
    recover: () => ({ kind: 'giveUp', message: 'gave up' }),
  };
};

describe('the noise scale that the loop measures on a real network', () => {
  it.each([
    [64, 64],
    [64, 16],
    [60, 23],
  ])(
    'agrees with exact per-example gradients, batch %i in parts of at most %i',
    async (batchSize, microBatchSize) => {
      const { tf } = await loadEngine('wasm');
      const set = await setUp(tf);
      const truth = await exactTruth(set);
      const windows: number[] = [];
      let state: NoiseScaleState | undefined;
      const collect = (gradient: GradientMoments | undefined, examples: number): void => {
        if (!gradient || examples < batchSize) return;
        state = addSample(state, gradient, { horizonExamples: Infinity });
        if (state.samples % 80 !== 0) return;
        const seen = noiseScale(state);
        windows.push(seen.gradientVarianceTrace / seen.squaredGradientNorm);
        state = undefined;
      };
      await train({
        ...set,
        controller: measuring(batchSize, microBatchSize),
        observers: [
          { name: 'collect', onStepFinished: ({ outcome }) => collect(outcome.gradient, outcome.examples) },
        ],
        stop: { examples: 80 * 15 * batchSize },
      });
      const median = windows.sort((a, b) => a - b)[windows.length >> 1] ?? NaN;
      expect(windows.length).toBeGreaterThanOrEqual(5);
      expect(median / (truth.trace / truth.squaredNorm)).toBeGreaterThan(0.95);
      expect(median / (truth.trace / truth.squaredNorm)).toBeLessThan(1.05);
    },
  );
});
