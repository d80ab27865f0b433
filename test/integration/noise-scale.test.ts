import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import { loadEngine, type LayersTf } from '@batchwise/backend/node';
import { train, type BatchController, type Checkpoint, type GradientMoments } from '@batchwise/core';
import { builtInDigits, imageSource } from '@batchwise/data';
import {
  addGroupSamples,
  addSample,
  noiseScale,
  type NoiseScale,
  type NoiseScaleState,
} from '@batchwise/noise-scale';
import { describe, expect, it } from 'vitest';

const EXAMPLES = 512;

type ModelName = 'mlp' | 'cnn';

/** By default frozen: the update is made, at a rate of zero. */
async function setUp(tf: LayersTf, name: ModelName = 'mlp', learningRate = 0) {
  const { train: digits, imageShape } = builtInDigits({ seed: 3, trainCount: EXAMPLES, testCount: 1 });
  const flat = name === 'mlp';
  const source = imageSource(digits, { imageShape, classes: 10, shuffle: true, seed: 1, flat });
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 4 });
  const first = flat
    ? [tf.layers.dense({ units: 12, activation: 'relu', inputShape: [784], kernelInitializer })]
    : [
        tf.layers.conv2d({
          filters: 4,
          kernelSize: 5,
          strides: 3,
          activation: 'relu',
          inputShape: [...imageShape],
          kernelInitializer,
        }),
        tf.layers.flatten(),
      ];
  const model = tf.sequential({
    layers: [...first, tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer })],
  });
  // Surer of one class than it should be: a gradient that these few examples suffice to resolve.
  const biases = model.layers.at(-1)?.weights.at(-1);
  biases?.write(tf.tensor1d([3, ...Array<number>(9).fill(0)]));
  model.compile({ optimizer: tf.train.sgd(learningRate), loss: 'categoricalCrossentropy' });
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

/** The moments of `steps` whole batches, in parts of at most `microBatchSize`. */
async function momentsOf(
  set: Awaited<ReturnType<typeof setUp>>,
  { batchSize, microBatchSize, steps }: { batchSize: number; microBatchSize: number; steps: number },
): Promise<GradientMoments[]> {
  const moments: GradientMoments[] = [];
  await train({
    ...set,
    controller: measuring(batchSize, microBatchSize),
    observers: [
      {
        name: 'collect',
        onStepFinished: ({ outcome: { gradient, examples } }) =>
          void (gradient && examples === batchSize && moments.push(gradient)),
      },
    ],
    stop: { examples: steps * batchSize },
  });
  return moments;
}

/** One estimate from every so many steps. */
function windowsOf(moments: readonly GradientMoments[], steps: number) {
  const windows: NoiseScale[] = [];
  for (let at = 0; at + steps <= moments.length; at += steps) {
    let state: NoiseScaleState | undefined;
    for (const step of moments.slice(at, at + steps))
      state = addSample(state, step, { horizonExamples: Infinity });
    windows.push(noiseScale(state));
  }
  return windows;
}

const ratioOf = ({ gradientVarianceTrace, squaredGradientNorm }: NoiseScale): number =>
  gradientVarianceTrace / squaredGradientNorm;

const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

describe('the noise scale that the loop measures on a real network with frozen weights', () => {
  it.each<[ModelName, number, number]>([
    ['mlp', 64, 64],
    ['mlp', 64, 16],
    ['mlp', 60, 23],
    ['cnn', 64, 64],
  ])(
    'of an %s agrees with exact per-example gradients, batch %i in parts of at most %i',
    async (name, batchSize, microBatchSize) => {
      const { tf } = await loadEngine('wasm');
      const set = await setUp(tf, name);
      const { trace, squaredNorm } = await exactTruth(set);
      const moments = await momentsOf(set, {
        batchSize,
        microBatchSize,
        steps: name === 'cnn' ? 80 * 6 : 80 * 10,
      });
      const windows = windowsOf(moments, 80);
      expect(windows.length).toBeGreaterThanOrEqual(5);
      const median = medianOf(windows.map(ratioOf));
      expect(Math.abs(median / (trace / squaredNorm) - 1)).toBeLessThan(0.05);
      // Of intervals at 95 %, over windows of a quarter of that: nine in ten at least hold the truth.
      const covered = windowsOf(moments, 20).map((seen) =>
        seen.known
          ? seen.lower <= trace / squaredNorm && trace / squaredNorm <= seen.upper
          : (seen.atLeast ?? 0) <= trace / squaredNorm,
      );
      expect(covered.length).toBeGreaterThanOrEqual(20);
      expect(covered.filter(Boolean).length / covered.length).toBeGreaterThanOrEqual(0.9);
    },
  );
});

describe('the noise scale that the loop measures while it trains', () => {
  it.each<[ModelName, number]>([
    ['mlp', 0.02],
    ['cnn', 0.02],
  ])('of an %s is within 50 per cent of that of the weights where it stands', async (name, learningRate) => {
    const { tf } = await loadEngine('wasm');
    const set = await setUp(tf, name, learningRate);
    const ratios: number[] = [];
    let state: NoiseScaleState | undefined;
    let resumeFrom: Checkpoint<null> | undefined;
    for (let stage = 1; stage <= 6; stage += 1) {
      const { checkpoint } = await train({
        ...set,
        controller: measuring(32, 32),
        observers: [
          {
            name: 'collect',
            onStepFinished({ outcome: { gradient } }) {
              if (!gradient) return;
              const before = noiseScale(state);
              // As the tuner does it.
              const horizonExamples = 8 * Math.max(32, before.known ? before.noiseScale : 600);
              state = addSample(state, gradient, { horizonExamples });
            },
          },
        ],
        stop: { examples: stage * 32 * 40 },
        ...(resumeFrom && { resumeFrom }),
      });
      resumeFrom = checkpoint;
      const { trace, squaredNorm } = await exactTruth(set);
      ratios.push(ratioOf(noiseScale(state)) / (trace / squaredNorm));
    }
    expect(ratios.every((ratio) => ratio > 0)).toBe(true);
    expect(Math.abs(medianOf(ratios) - 1)).toBeLessThan(0.5);
  });
});

it('can be had by layer: a part of a gradient is a gradient', async () => {
  const { tf } = await loadEngine('wasm');
  const { source, backend } = await setUp(tf, 'cnn');
  const [one, other] = [await source.epoch(0).take(32), await source.epoch(1).take(32)];
  if (!one || !other) throw new Error('no batches');
  const halves = [await backend.gradient(one), await backend.gradient(other)].map(({ gradient, loss }) => {
    loss.dispose();
    return gradient;
  });
  const moments = async (belongs: (name: string) => boolean): Promise<GradientMoments> => {
    const [a = [], b = []] = halves.map((gradient) => gradient.filter(({ name }) => belongs(name)));
    const [aa, bb, ab] = [backend.dot(a, a), backend.dot(b, b), backend.dot(a, b)];
    return {
      sizes: [32, 32],
      squaredNorms: [await aa.read(), await bb.read()],
      crossProduct: 32 * 32 * (await ab.read()),
    };
  };
  const states = addGroupSamples(
    {},
    {
      convolution: await moments((name) => name.startsWith('conv2d')),
      dense: await moments((name) => name.startsWith('dense')),
      all: await moments(() => true),
    },
    { horizonExamples: Infinity },
  );
  backend.release(...halves);
  const [convolution, dense, all] = ['convolution', 'dense', 'all'].map((group) => states[group]);
  for (const component of ['squaredGradientNorm', 'gradientVarianceTrace'] as const) {
    expect(convolution?.[component]).not.toBe(0);
    const sum = (convolution?.[component] ?? NaN) + (dense?.[component] ?? NaN);
    expect(Math.abs(sum / (all?.[component] ?? NaN) - 1)).toBeLessThan(1e-4);
  }
});
