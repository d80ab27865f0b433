import { seededRandom, shuffled, type IndexCursor } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { addSample, noiseScale, type NoiseScaleState } from '../src/index.ts';
import { dot, mean, meanVector, median, momentsOfExamples, normalNumbers } from './support.ts';
import { gradientOf, lossOf, noisyExamples, PARAMETERS } from './tiny-network.ts';

const SIZE = 500;
const normal = normalNumbers(21);
const examples = noisyExamples(SIZE, normal);
const weights = Array.from({ length: PARAMETERS }, () => 0.3 * normal());
const gradients = examples.map((example) => gradientOf(weights, example));

// The truth over the data set as a population.
const average = meanVector(gradients);
const squaredNorm = dot(average, average);
const trace = mean(gradients.map((gradient) => dot(gradient, gradient))) - squaredNorm;

/** Noise scales from windows of measured steps, each step split into micro-batches of these sizes. */
function windowsOf(
  steps: number,
  sizes: readonly number[],
  openEpoch: (epoch: number) => IndexCursor,
): number[] {
  const batchSize = sizes.reduce((sum, size) => sum + size, 0);
  const perEpoch = Math.floor(SIZE / batchSize);
  const windows: number[] = [];
  let cursor = openEpoch(0);
  for (let window = 0; window < 40; window++) {
    let state: NoiseScaleState | undefined;
    for (let step = 0; step < steps; step++) {
      const done = window * steps + step;
      if (done % perEpoch === 0) cursor = openEpoch(done / perEpoch);
      const microBatches = sizes.map((size) => [...cursor.take(size)].map((index) => gradients[index] ?? []));
      state = addSample(state, momentsOfExamples(microBatches), { horizonExamples: Infinity });
    }
    const result = noiseScale(state);
    windows.push(result.known ? result.noiseScale : NaN);
  }
  return windows;
}

describe('a small network with frozen weights', () => {
  it('has the gradients that finite differences give', () => {
    const step = 1e-6;
    for (const [k, example] of examples.slice(0, 3).entries()) {
      const differences = weights.map((weight, at) => {
        const lossAt = (value: number) => lossOf(weights.with(at, value), example);
        return (lossAt(weight + step) - lossAt(weight - step)) / (2 * step);
      });
      differences.forEach((difference, at) => expect(gradients[k]?.[at]).toBeCloseTo(difference, 7));
    }
  });

  it.each([[[16, 16]], [[8, 8, 8, 8]], [[6, 26]]])(
    'drawn with replacement in micro-batches of %j, the median window is within 5 per cent of the truth',
    (sizes) => {
      const truth = trace / squaredNorm;
      const random = seededRandom(5);
      const withReplacement = () => ({
        take: (count: number) => Int32Array.from({ length: count }, () => random.below(SIZE)),
      });
      const windows = windowsOf(100, sizes, withReplacement);
      expect(Math.abs(median(windows) / truth - 1)).toBeLessThan(0.05);
      // Nine windows in ten within 30 %.
      expect(windows.filter((value) => Math.abs(value / truth - 1) < 0.3).length).toBeGreaterThanOrEqual(36);
    },
  );

  it('drawn without replacement, it is that of a finite sample', () => {
    // tr Σ becomes N / (N - 1) times as large, and the product of two different examples' gradients is on average
    // |G|² - tr Σ / N.
    const sampleTrace = (SIZE / (SIZE - 1)) * trace;
    const truth = sampleTrace / (squaredNorm - sampleTrace / SIZE);
    const sampler = shuffled(SIZE, { seed: 6 });
    const windows = windowsOf(100, [25, 25], (epoch) => sampler.epoch(epoch));
    expect(Math.abs(median(windows) / truth - 1)).toBeLessThan(0.05);
    // Far enough from the truth of the population to tell them apart.
    expect(truth / (trace / squaredNorm)).toBeGreaterThan(1.05);
  });
});
