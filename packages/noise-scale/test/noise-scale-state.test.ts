import { describe, expect, it } from 'vitest';
import { addSample, noiseScale, type GradientMoments, type NoiseScaleState } from '../src/index.ts';

/** Two micro-batches whose components are chosen: g1 · g2 = norm and (B / 4) |g1 - g2|² = trace. */
function sampleOf(examples: number, norm: number, trace: number): GradientMoments {
  const half = examples / 2;
  const squaredNorm = norm + (2 * trace) / examples;
  return { sizes: [half, half], squaredNorms: [squaredNorm, squaredNorm], crossProduct: half * half * norm };
}

const NEVER = { horizonExamples: Infinity };
const add = (samples: readonly GradientMoments[], options: { horizonExamples: number }) =>
  samples.reduce<NoiseScaleState | undefined>(
    (state, sample) => addSample(state, sample, options),
    undefined,
  );

describe('addSample', () => {
  it('takes the first sample as it is', () => {
    expect(addSample(undefined, sampleOf(8, 5, 10), NEVER)).toEqual({
      samples: 1,
      weight: 8,
      squaredWeight: 64,
      squaredGradientNorm: 5,
      gradientVarianceTrace: 10,
      normDeviation: 0,
      traceDeviation: 0,
      jointDeviation: 0,
    });
  });

  it('weighs samples by their examples', () => {
    // Weights 8, 8, 16: mean of |G|² (8·4 + 8·8 + 16·-2) / 32 = 2, of tr Σ (8·10 + 8·30 + 16·20) / 32 = 20.
    // Deviations: 8·2² + 8·6² + 16·4² = 576, 8·10² + 8·10² = 1600, 8·2·-10 + 8·6·10 + 16·-4·0 = 320.
    expect(add([sampleOf(8, 4, 10), sampleOf(8, 8, 30), sampleOf(16, -2, 20)], NEVER)).toEqual({
      samples: 3,
      weight: 32,
      squaredWeight: 64 + 64 + 256,
      squaredGradientNorm: 2,
      gradientVarianceTrace: 20,
      normDeviation: 576,
      traceDeviation: 1600,
      jointDeviation: 320,
    });
  });

  it('halves old weights with every ln 2 horizons of measured examples', () => {
    // Half-life 8 examples. Before the third sample, of 16 examples, the first two weigh 8 / 8 and 8 / 4.
    const state = add([sampleOf(8, 4, 10), sampleOf(8, 8, 30), sampleOf(16, -2, 20)], {
      horizonExamples: 8 / Math.LN2,
    });
    const [weights, norms, traces] = [
      [1, 2, 16],
      [4, 8, -2],
      [10, 30, 20],
    ];
    const norm = (1 * 4 + 2 * 8 + 16 * -2) / 19;
    const trace = (1 * 10 + 2 * 30 + 16 * 20) / 19;
    const deviation = (a: number[], b: number[]) =>
      weights.reduce(
        (sum, weight, k) =>
          sum +
          weight *
            ((a[k] ?? NaN) - (a === norms ? norm : trace)) *
            ((b[k] ?? NaN) - (b === norms ? norm : trace)),
        0,
      );
    expect(state?.samples).toBe(3);
    expect(state?.weight).toBeCloseTo(19, 12);
    expect(state?.squaredWeight).toBeCloseTo(1 + 4 + 256, 12);
    expect(state?.squaredGradientNorm).toBeCloseTo(norm, 12);
    expect(state?.gradientVarianceTrace).toBeCloseTo(trace, 12);
    expect(state?.normDeviation).toBeCloseTo(deviation(norms, norms), 10);
    expect(state?.traceDeviation).toBeCloseTo(deviation(traces, traces), 10);
    expect(state?.jointDeviation).toBeCloseTo(deviation(norms, traces), 10);
  });

  it('forgets by examples, not by steps: many small steps fade the past as one big step does', () => {
    const past = addSample(undefined, sampleOf(64, 100, 100), NEVER);
    const options = { horizonExamples: 50 };
    const big = addSample(past, sampleOf(32, 0, 0), options);
    const small = Array.from({ length: 4 }).reduce<NoiseScaleState>(
      (state) => addSample(state, sampleOf(8, 0, 0), options),
      past,
    );
    const pastShare = (state: NoiseScaleState) => (state.weight * state.squaredGradientNorm) / 100;
    expect(pastShare(big)).toBeCloseTo(64 * Math.exp(-32 / 50), 10);
    expect(pastShare(small)).toBeCloseTo(64 * Math.exp(-32 / 50), 10);
  });

  it('keeps negative single-step estimates of |G|²', () => {
    expect(add([sampleOf(8, -4, 40), sampleOf(8, 10, 40)], NEVER)?.squaredGradientNorm).toBe(3);
  });

  it('is precise far from 0', () => {
    // Sums of squares of 1e9 + {0, 1, 2} would leave a deviation of 0 or worse.
    const state = add(
      [0, 1, 2].map((k) => sampleOf(8, 1e9 + k, 4)),
      NEVER,
    );
    expect(state?.normDeviation).toBeCloseTo(16, 3);
  });

  it.each([
    ['a norm', { sizes: [4, 4], squaredNorms: [NaN, 1], crossProduct: 1 }],
    ['the cross product', { sizes: [4, 4], squaredNorms: [1, 1], crossProduct: -Infinity }],
    ['a norm that overflows when squared', { sizes: [4, 4], squaredNorms: [1e200, 1], crossProduct: 1 }],
  ])('ignores a step where %s is not finite', (_, moments) => {
    const before = add([sampleOf(8, 4, 10), sampleOf(8, 8, 30)], { horizonExamples: 100 });
    expect(addSample(before, moments, { horizonExamples: 100 })).toEqual(before);
  });

  it('answers a state without samples when the first step is not finite', () => {
    const state = addSample(undefined, { sizes: [4, 4], squaredNorms: [NaN, 1], crossProduct: 1 }, NEVER);
    expect(state.samples).toBe(0);
    expect(addSample(state, sampleOf(8, 5, 10), NEVER)).toEqual(
      addSample(undefined, sampleOf(8, 5, 10), NEVER),
    );
  });

  it('survives JSON at every step', () => {
    const samples = Array.from({ length: 6 }, (_, k) => sampleOf(8 + k, k / 3, 10 / (k + 1)));
    const options = { horizonExamples: 40 };
    let through: NoiseScaleState | undefined;
    for (const sample of samples) through = JSON.parse(JSON.stringify(addSample(through, sample, options)));
    expect(through).toEqual(add(samples, options));
    expect(noiseScale(through)).toEqual(noiseScale(add(samples, options)));
  });

  it('does not change the state it was given', () => {
    const state = Object.freeze(addSample(undefined, sampleOf(8, 5, 10), NEVER));
    expect(addSample(state, sampleOf(8, 1, 1), NEVER).samples).toBe(2);
    expect(state.samples).toBe(1);
  });

  it.each([0, -1, NaN])('refuses the horizon %d', (horizonExamples) => {
    expect(() => addSample(undefined, sampleOf(8, 5, 10), { horizonExamples })).toThrow(RangeError);
    expect(() => addSample(undefined, sampleOf(8, 5, 10), { horizonExamples })).toThrow(
      `horizonExamples is ${horizonExamples}; give a number above 0`,
    );
  });
});
