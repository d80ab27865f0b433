import { expect, it } from 'vitest';
import { addSample, noiseScale, type NoiseScaleState } from '../src/index.ts';
import { dot, drawGradient, mean, meanVector, momentsOf, normalNumbers } from './support.ts';

/*
 * Adam keeps m, a mean of recent gradients, and v, a mean of their squares, so the noise scale seems to be there for
 * nothing: were the gradients independent, |m̂|² = |G|² + c tr Σ / B and ‖v̂‖₁ = |G|² + tr Σ / B with
 * c = (1 − β1)/(1 + β1). They are not: each step turns the next gradient against the noise that it followed, and m
 * averages over ten of them.
 */
const BATCH_SIZE = 64;
const [BETA_1, BETA_2] = [0.9, 0.999];
const curvature = Array.from({ length: 30 }, (_, k) => 0.2 + k / 15);
const variances = curvature.map((value) => 300 * value);

it('once Adam has settled, its moments show no gradient where the halves of a batch show the right one', () => {
  const normal = normalNumbers(71);
  let weights = curvature.map(() => 1);
  let [m, v] = [curvature.map(() => 0), curvature.map(() => 0)];
  let split: NoiseScaleState | undefined;
  const truths: number[] = [];
  const fromMoments: number[] = [];
  for (let step = 1; step <= 12_000; step += 1) {
    const G = weights.map((weight, k) => weight * (curvature[k] ?? NaN));
    const halves = [1, 2].map(() => drawGradient({ gradient: G, variances }, BATCH_SIZE / 2, normal));
    const g = meanVector(halves);
    m = m.map((value, k) => BETA_1 * value + (1 - BETA_1) * (g[k] ?? NaN));
    v = v.map((value, k) => BETA_2 * value + (1 - BETA_2) * (g[k] ?? NaN) ** 2);
    const mHat = m.map((value) => value / (1 - BETA_1 ** step));
    const vHat = v.map((value) => value / (1 - BETA_2 ** step));
    weights = weights.map(
      (weight, k) => weight - (0.1 * (mHat[k] ?? NaN)) / (Math.sqrt(vHat[k] ?? NaN) + 1e-7),
    );
    if (step <= 1000) continue;
    const c = (1 - BETA_1) / (1 + BETA_1);
    fromMoments.push((dot(mHat, mHat) - c * vHat.reduce((sum, value) => sum + value, 0)) / (1 - c));
    truths.push(dot(G, G));
    split = addSample(split, momentsOf([BATCH_SIZE / 2, BATCH_SIZE / 2], halves), {
      horizonExamples: Infinity,
    });
  }
  // A tenth of the truth at most on average, and below 0 more often than not.
  expect(mean(fromMoments)).toBeLessThan(0.1 * mean(truths));
  expect(mean(fromMoments.map((value) => Number(value < 0)))).toBeGreaterThan(0.5);
  const result = noiseScale(split);
  if (!result.known) throw new Error(result.why);
  const trace = variances.reduce((sum, value) => sum + value, 0);
  expect(Math.abs(result.noiseScale / (trace / mean(truths)) - 1)).toBeLessThan(0.05);
});
