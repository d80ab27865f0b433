import { expect, it } from 'vitest';
import { addSample, noiseScale, type NoiseScaleState } from '../src/index.ts';
import { dot, drawGradient, meanVector, momentsOf, normalNumbers } from './support.ts';

/*
 * One gradient per step costs nothing extra, so gradients of consecutive steps are a tempting pair of "micro-batches".
 * They are taken at different weights: on a quadratic with Hessian H, E[g_t · g_{t+1}] = |G|² (1 - η / η_opt), which
 * is 0 at the learning rate η_opt = |G|² / (G'HG + tr(HΣ) / B) that training should run at.
 */
const BATCH_SIZE = 64;
const curvature = Array.from({ length: 30 }, (_, k) => 0.1 + k / 15);
const variances = curvature.map((value) => 300 * value);
const start = curvature.map(() => 1);

const gradientAt = (weights: readonly number[]) => weights.map((weight, k) => weight * (curvature[k] ?? NaN));
const G = gradientAt(start);
const squaredNorm = dot(G, G);
const trace = variances.reduce((sum, value) => sum + value, 0);
const optimalRate = squaredNorm / (dot(G, gradientAt(G)) + dot(curvature, variances) / BATCH_SIZE);

/** Many times the same first step from `start`, so that averages are over the noise alone. */
function measure(learningRate: number): {
  split: NoiseScaleState | undefined;
  consecutive: NoiseScaleState | undefined;
} {
  const normal = normalNumbers(31);
  let split: NoiseScaleState | undefined;
  let consecutive: NoiseScaleState | undefined;
  for (let run = 0; run < 3000; run++) {
    const halves = [1, 2].map(() => drawGradient({ gradient: G, variances }, BATCH_SIZE / 2, normal));
    const first = meanVector(halves);
    const next = start.map((weight, k) => weight - learningRate * (first[k] ?? NaN));
    const second = drawGradient({ gradient: gradientAt(next), variances }, BATCH_SIZE, normal);
    split = addSample(split, momentsOf([BATCH_SIZE / 2, BATCH_SIZE / 2], halves), {
      horizonExamples: Infinity,
    });
    consecutive = addSample(consecutive, momentsOf([BATCH_SIZE, BATCH_SIZE], [first, second]), {
      horizonExamples: Infinity,
    });
  }
  return { split, consecutive };
}

it.each([0, 0.5, 1, 1.5])(
  'at %d times the optimal learning rate, only the halves of a step give the noise scale',
  (share) => {
    const { split, consecutive } = measure(share * optimalRate);
    const result = noiseScale(split);
    if (!result.known) throw new Error(result.why);
    expect(Math.abs(result.noiseScale / (trace / squaredNorm) - 1)).toBeLessThan(0.05);
    // |G|² (1 - η / η_opt)
    expect(Math.abs((consecutive?.squaredGradientNorm ?? NaN) / squaredNorm - (1 - share))).toBeLessThan(
      0.05,
    );
  },
);

it('consecutive steps see twice the noise scale at half the optimal learning rate, and no gradient at all from there on', () => {
  const half = noiseScale(measure(optimalRate / 2).consecutive);
  if (!half.known) throw new Error(half.why);
  expect(half.noiseScale / (trace / squaredNorm)).toBeGreaterThan(1.9);
  expect(noiseScale(measure(optimalRate).consecutive).known).toBe(false);
  expect(noiseScale(measure(1.5 * optimalRate).consecutive).known).toBe(false);
});
