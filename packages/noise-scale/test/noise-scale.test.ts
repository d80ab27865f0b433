import { describe, expect, it } from 'vitest';
import { addSample, noiseScale, type NoiseScaleState } from '../src/index.ts';
import { drawGradient, mean, momentsOf, normalNumbers, truthOf, type GaussianPopulation } from './support.ts';

/** Ten samples of 8 examples: variances of the means 1 (|G|²), 4 (tr Σ) and covariance 0.5, as 720 = 80 · 9. */
const resolved: NoiseScaleState = {
  samples: 10,
  weight: 80,
  squaredWeight: 640,
  squaredGradientNorm: 5,
  gradientVarianceTrace: 10,
  normDeviation: 720 * 1,
  traceDeviation: 720 * 4,
  jointDeviation: 720 * 0.5,
};

describe('noiseScale, by hand', () => {
  it('is the ratio of the means, with a Fieller interval', () => {
    const result = noiseScale(resolved);
    if (!result.known) throw new Error(result.why);
    // t = 2.26216 for 9 degrees of freedom; a = 25 - t², b = 50 - t² / 2, c = 100 - 4 t².
    const t2 = 2.26216 ** 2;
    const [a, b, c] = [25 - t2, 50 - t2 / 2, 100 - 4 * t2];
    expect(result.noiseScale).toBe(2);
    expect(result.lower).toBeCloseTo((b - Math.sqrt(b * b - a * c)) / a, 2);
    expect(result.upper).toBeCloseTo((b + Math.sqrt(b * b - a * c)) / a, 2);
    expect(result.relativeStandardError).toBeCloseTo(Math.sqrt(4 / 100 + 1 / 25 - (2 * 0.5) / 50), 14);
    expect(result).toMatchObject({
      squaredGradientNorm: 5,
      gradientVarianceTrace: 10,
      samples: 10,
      effectiveSamples: 10,
      measuredExamples: 80,
    });
  });

  it('takes the variance of a weighted mean from the deviations and the effective samples', () => {
    // (Σ w)² / Σ w² = 6400 / 1280 = 5: the variances are now deviations / (80 · 4), 9 / 4 times as large.
    const result = noiseScale({ ...resolved, squaredWeight: 1280 });
    if (!result.known) throw new Error(result.why);
    expect(result.effectiveSamples).toBe(5);
    expect(result.relativeStandardError).toBeCloseTo(Math.sqrt(0.06 * (9 / 4)), 14);
  });

  it('widens with the confidence', () => {
    const widths = [0.5, 0.9, 0.95].map((confidence) => {
      const result = noiseScale(resolved, { confidence });
      return result.known ? result.upper - result.lower : NaN;
    });
    expect(widths).toEqual([...widths].sort((a, b) => a - b));
    expect(noiseScale(resolved, { confidence: 0.95 })).toEqual(noiseScale(resolved));
    // a = 25 - t² changes its sign at t = 5, a confidence of 0.99926 for 9 degrees of freedom.
    expect(noiseScale(resolved, { confidence: 0.999 }).known).toBe(true);
    expect(noiseScale(resolved, { confidence: 0.9995 }).known).toBe(false);
  });

  it('says at least how much when the gradient is not resolved', () => {
    const result = noiseScale({ ...resolved, normDeviation: 720 * 16, jointDeviation: 0 });
    if (result.known) throw new Error('known');
    const t2 = 2.26216 ** 2;
    const [a, b, c] = [25 - 16 * t2, 50, 100 - 4 * t2];
    expect(result.why).toBe('gradientNotResolved');
    expect(result.atLeast).toBeCloseTo((b - Math.sqrt(b * b - a * c)) / a, 2);
    expect(result).toMatchObject({
      squaredGradientNorm: 5,
      gradientVarianceTrace: 10,
      samples: 10,
      measuredExamples: 80,
    });
  });

  it('says nothing of the size when neither mean is resolved', () => {
    const result = noiseScale({ ...resolved, normDeviation: 720 * 16, traceDeviation: 720 * 100 });
    expect(result).toEqual({
      known: false,
      why: 'gradientNotResolved',
      squaredGradientNorm: 5,
      gradientVarianceTrace: 10,
      samples: 10,
      effectiveSamples: 10,
      measuredExamples: 80,
    });
  });

  it('is 0 where all micro-batches agree, not the negative number that rounding makes of it', () => {
    const noiseless = { ...resolved, traceDeviation: 0, jointDeviation: 0 };
    for (const gradientVarianceTrace of [0, -1e-16])
      expect(noiseScale({ ...noiseless, gradientVarianceTrace })).toMatchObject({
        known: true,
        noiseScale: 0,
        lower: 0,
        upper: 0,
      });
  });

  it('needs three samples of equal weight', () => {
    const moments = momentsOf(
      [4, 4],
      [
        [1, 0],
        [1, 0.1],
      ],
    );
    const states: (NoiseScaleState | undefined)[] = [undefined];
    for (let k = 0; k < 3; k++) states.push(addSample(states[k], moments, { horizonExamples: 100 }));
    const results = states.map((state) => noiseScale(state));
    expect(results.map((result) => result.known)).toEqual([false, false, false, true]);
    expect(results[0]).toEqual({
      known: false,
      why: 'tooFewSamples',
      squaredGradientNorm: 0,
      gradientVarianceTrace: 0,
      samples: 0,
      effectiveSamples: 0,
      measuredExamples: 0,
    });
    expect(results[2]).toMatchObject({ why: 'tooFewSamples', samples: 2 });
  });

  it('stays unknown when the horizon is shorter than the steps', () => {
    let state: NoiseScaleState | undefined;
    const moments = momentsOf(
      [4, 4],
      [
        [1, 0],
        [1, 0.1],
      ],
    );
    for (let k = 0; k < 50; k++) state = addSample(state, moments, { horizonExamples: 4 });
    expect(noiseScale(state)).toMatchObject({ known: false, why: 'tooFewSamples', samples: 50 });
  });

  it.each([0, 1, -1, 95, NaN])('refuses the confidence %d', (confidence) => {
    expect(() => noiseScale(resolved, { confidence })).toThrow(RangeError);
    expect(() => noiseScale(resolved, { confidence })).toThrow(`confidence is ${confidence}`);
  });
});

describe('noiseScale, simulated', () => {
  /** |G|² = 2, tr Σ = (1 + … + 40) / 5 = 164, noise scale 82. */
  const gaussian: GaussianPopulation = {
    gradient: Array.from({ length: 40 }, () => Math.sqrt(2 / 40)),
    variances: Array.from({ length: 40 }, (_, k) => (k + 1) / 5),
  };
  const truth = truthOf(gaussian).noiseScale;

  const measure = (steps: number, sizes: readonly number[], normal: () => number) => {
    let state: NoiseScaleState | undefined;
    for (let step = 0; step < steps; step++) {
      const gradients = sizes.map((size) => drawGradient(gaussian, size, normal));
      state = addSample(state, momentsOf(sizes, gradients), { horizonExamples: Infinity });
    }
    return noiseScale(state);
  };

  it.each([
    { steps: 30, sizes: [32, 32], seed: 1 },
    { steps: 60, sizes: [8, 8], seed: 2 },
    { steps: 12, sizes: [32, 32, 32], seed: 3 },
  ])(
    'its 95 % interval covers the truth in 92 to 98 % of runs of $steps steps of $sizes',
    ({ steps, sizes, seed }) => {
      const normal = normalNumbers(seed);
      const runs = Array.from({ length: 400 }, () => measure(steps, sizes, normal));
      const covers = runs.map((run) =>
        run.known ? run.lower <= truth && truth <= run.upper : (run.atLeast ?? 0) <= truth,
      );
      const coverage = mean(covers.map(Number));
      expect(truth).toBeCloseTo(82, 10);
      expect(coverage).toBeGreaterThan(0.92);
      expect(coverage).toBeLessThan(0.98);
    },
  );

  it('its relative standard error is the spread of the estimates', () => {
    const normal = normalNumbers(4);
    const runs = Array.from({ length: 400 }, () => measure(60, [64, 64], normal)).filter((run) => run.known);
    const logs = runs.map((run) => Math.log(run.noiseScale));
    const spread = Math.sqrt(mean(logs.map((value) => (value - mean(logs)) ** 2)));
    const claimed = mean(runs.map((run) => run.relativeStandardError));
    expect(runs).toHaveLength(400);
    expect(Math.abs(claimed / spread - 1)).toBeLessThan(0.15);
    expect(Math.abs(mean(logs) - Math.log(truth))).toBeLessThan(0.05);
  });

  it('follows a gradient that shrinks: only what lies within the horizon counts', () => {
    const normal = normalNumbers(5);
    const later = { ...gaussian, gradient: gaussian.gradient.map((value) => value / 2) };
    let state: NoiseScaleState | undefined;
    for (const population of [gaussian, later]) {
      for (let step = 0; step < 600; step++) {
        const gradients = [64, 64].map((size) => drawGradient(population, size, normal));
        state = addSample(state, momentsOf([64, 64], gradients), { horizonExamples: 100 * 128 });
      }
    }
    const result = noiseScale(state);
    if (!result.known) throw new Error(result.why);
    expect(result.samples).toBe(1200);
    // Σ dᵏ = 1 / (1 - d) with d = e^-0.01, and (1 + d) / (1 - d) effective samples.
    expect(result.measuredExamples).toBeCloseTo(128 / (1 - Math.exp(-0.01)), 0);
    expect(result.effectiveSamples).toBeCloseTo((1 + Math.exp(-0.01)) / (1 - Math.exp(-0.01)), 1);
    expect(result.lower).toBeLessThan(4 * truth);
    expect(result.upper).toBeGreaterThan(4 * truth);
    expect(result.lower).toBeGreaterThan(2 * truth);
  });
});
