import { addSample, noiseScale, type NoiseScaleState } from '@batchwise/noise-scale';
import { describe, expect, it } from 'vitest';
import { believedNoiseScale, type NoisePrior } from '../src/noise-belief.ts';
import { gaussianMoments, normal, uniform } from './plant.ts';

const prior: NoisePrior = { priorNoiseScale: 600, minNoiseScale: 4, maxNoiseScale: 60_000 };

/** A state with these averages, from `weight` examples in 20 equal samples without scatter. */
const state = (
  gradientVarianceTrace: number,
  squaredGradientNorm: number,
  weight: number,
): NoiseScaleState => ({
  samples: 20,
  weight,
  squaredWeight: weight ** 2 / 20,
  squaredGradientNorm,
  gradientVarianceTrace,
  normDeviation: weight * 100,
  traceDeviation: 0,
  jointDeviation: 0,
});

const measured = (noise: number, batchSize: number, samples: number): NoiseScaleState | null => {
  const draw = normal(uniform(11));
  let all: NoiseScaleState | undefined;
  for (let i = 0; i < samples; i += 1)
    all = addSample(all, gaussianMoments([batchSize / 2, batchSize / 2], noise, draw), {
      horizonExamples: Infinity,
    });
  return all ?? null;
};

describe('believedNoiseScale', () => {
  it('is the prior before anything was measured', () => {
    const belief = { noiseScale: 600, relativeError: 1, measured: false, unresolved: false };
    expect(believedNoiseScale(null, prior)).toEqual(belief);
    expect(believedNoiseScale(measured(100, 64, 2), prior)).toEqual(belief);
    expect(believedNoiseScale(null, { ...prior, maxNoiseScale: 500 }).noiseScale).toBe(500);
  });

  it('draws a measurement towards the prior by its weight in examples', () => {
    // φ = 2400 from 2400 examples weighs ½: √(2400 · 600) = 1200. The gradient is not resolved (scatter 10 of 1).
    const belief = believedNoiseScale(state(2400, 1, 2400), prior);
    expect(belief.noiseScale).toBeCloseTo(1200, 6);
    expect(belief).toMatchObject({ measured: true, unresolved: true, relativeError: 1 });
    // From three times as many examples, ¾.
    expect(believedNoiseScale(state(2400, 1, 7200), prior).noiseScale).toBeCloseTo(
      2400 ** 0.75 * 600 ** 0.25,
      6,
    );
  });

  it('takes a mean |G|² below 0 for the largest noise scale', () => {
    const belief = believedNoiseScale(state(2400, -1, 60_000), prior);
    expect(belief.noiseScale).toBeCloseTo(Math.sqrt(60_000 * 600), 6);
    expect(belief.unresolved).toBe(true);
  });

  it('stays inside the interval that was measured', () => {
    const sure = measured(30, 512, 40);
    const seen = noiseScale(sure ?? undefined);
    if (!seen.known) throw new Error(seen.why);
    const belief = believedNoiseScale(sure, { ...prior, priorNoiseScale: 1e5, maxNoiseScale: 1e6 });
    expect(belief.noiseScale).toBeLessThanOrEqual(seen.upper);
    expect(belief.relativeError).toBe(seen.relativeStandardError);
    expect(belief.unresolved).toBe(false);
    expect(believedNoiseScale(sure, { ...prior, priorNoiseScale: 0.01 }).noiseScale).toBeGreaterThanOrEqual(
      seen.lower,
    );
  });

  it.each([
    [30, 64],
    [600, 256],
    [5000, 1024],
  ])('comes within 30 %% of %s after 100 measured steps of %s', (noise, batchSize) => {
    const { noiseScale: believed } = believedNoiseScale(measured(noise, batchSize, 100), prior);
    expect(Math.abs(Math.log(believed / noise))).toBeLessThan(Math.log(1.3));
  });

  it('is bounded', () => {
    expect(believedNoiseScale(measured(1, 512, 40), prior).noiseScale).toBe(4);
    expect(believedNoiseScale(state(1e9, 1, 1e12), prior).noiseScale).toBe(60_000);
  });
});
