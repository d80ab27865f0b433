import { loadEngine } from '@batchwise/backend/node';
import { train, type Checkpoint, type GradientMoments } from '@batchwise/core';
import { addGroupSamples, addSample, noiseScale, type NoiseScaleState } from '@batchwise/noise-scale';
import { describe, expect, it } from 'vitest';
import {
  exactTruth,
  measuring,
  medianOf,
  momentsOf,
  ratioOf,
  setUp,
  windowsOf,
  type ModelName,
} from './frozen-network.ts';

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
      const set = await setUp(tf, { name });
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
      const covered = windowsOf(moments, 20).map((seen) => {
        if (!seen.known) throw new Error('These weights have a gradient that so many steps resolve.');
        return seen.lower <= trace / squaredNorm && trace / squaredNorm <= seen.upper;
      });
      expect(covered.length).toBeGreaterThanOrEqual(20);
      expect(covered.filter(Boolean).length / covered.length).toBeGreaterThanOrEqual(0.9);
    },
  );
});

it('is that of the data alone where weights have penalties, which the naive form takes for gradient', async () => {
  const { tf } = await loadEngine('wasm');
  const { trace, squaredNorm } = await exactTruth(await setUp(tf));
  const moments = await momentsOf(await setUp(tf, { l2: 0.3 }), {
    batchSize: 64,
    microBatchSize: 64,
    steps: 80 * 10,
  });
  const error = (seen: readonly GradientMoments[]) =>
    Math.abs(medianOf(windowsOf(seen, 80).map(ratioOf)) / (trace / squaredNorm) - 1);
  expect(error(moments)).toBeLessThan(0.05);
  const naive = moments.map(({ sizes, squaredNorms, crossProduct }) => ({
    sizes,
    squaredNorms,
    crossProduct,
  }));
  expect(error(naive)).toBeGreaterThan(0.2);
});

describe('the noise scale that the loop measures while it trains', () => {
  it.each<[ModelName, number]>([
    ['mlp', 0.02],
    ['cnn', 0.02],
  ])('of an %s is within 50 per cent of that of the weights where it stands', async (name, learningRate) => {
    const { tf } = await loadEngine('wasm');
    const set = await setUp(tf, { name, learningRate });
    const [truths, ratios]: [number[], number[]] = [[], []];
    let state: NoiseScaleState | undefined;
    let resumeFrom: Checkpoint<null> | undefined;
    for (let stage = 1; stage <= 6; stage += 1) {
      const { checkpoint } = await train({
        backend: set.backend,
        source: set.source,
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
      truths.push(trace / squaredNorm);
      ratios.push(ratioOf(noiseScale(state)) / (trace / squaredNorm));
    }
    expect(Math.abs(medianOf(ratios) - 1)).toBeLessThan(0.5);
    // It goes after a truth that changes several times as much: no fixed number is as near to all of them.
    expect(Math.max(...truths) / Math.min(...truths)).toBeGreaterThan(2.4 ** 2);
    for (const ratio of ratios) expect(Math.abs(Math.log(ratio))).toBeLessThan(Math.log(2.4));
  });
});

it('can be had by layer: a part of a gradient is a gradient', async () => {
  const { tf } = await loadEngine('wasm');
  const { source, backend } = await setUp(tf, { name: 'cnn' });
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
