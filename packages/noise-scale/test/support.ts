import { seededRandom } from '@batchwise/sampler';
import type { GradientMoments } from '../src/index.ts';

export type Vector = readonly number[];

export const dot = (a: Vector, b: Vector): number =>
  a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);

export const mean = (values: Vector): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export const meanVector = (vectors: readonly Vector[]): number[] =>
  (vectors[0] ?? []).map((_, k) => mean(vectors.map((vector) => vector[k] ?? NaN)));

export function median(values: Vector): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

/** The moments of micro-batches with these sizes and mean gradients, term by term as they are defined. */
export function momentsOf(sizes: Vector, gradients: readonly Vector[]): GradientMoments {
  let crossProduct = 0;
  gradients.forEach((gradient, k) => {
    gradients.slice(0, k).forEach((earlier, j) => {
      crossProduct += (sizes[j] ?? NaN) * (sizes[k] ?? NaN) * dot(earlier, gradient);
    });
  });
  return { sizes, squaredNorms: gradients.map((gradient) => dot(gradient, gradient)), crossProduct };
}

/** The moments of micro-batches given by the gradients of each of their examples. */
export const momentsOfExamples = (microBatches: readonly (readonly Vector[])[]): GradientMoments =>
  momentsOf(
    microBatches.map((examples) => examples.length),
    microBatches.map(meanVector),
  );

/** Standard normal numbers (Box and Muller 1958). */
export function normalNumbers(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}

/** A population of per-example gradients, normal with mean G and covariance diag(variances). */
export interface GaussianPopulation {
  readonly gradient: Vector;
  readonly variances: Vector;
}

/** The mean gradient of `size` examples: its covariance is diag(variances) / size. */
export const drawGradient = (population: GaussianPopulation, size: number, normal: () => number): number[] =>
  population.gradient.map(
    (value, k) => value + Math.sqrt((population.variances[k] ?? NaN) / size) * normal(),
  );

/** |G|², tr Σ and their ratio. */
export function truthOf({ gradient, variances }: GaussianPopulation) {
  const squaredGradientNorm = dot(gradient, gradient);
  const gradientVarianceTrace = variances.reduce((sum, value) => sum + value, 0);
  return {
    squaredGradientNorm,
    gradientVarianceTrace,
    noiseScale: gradientVarianceTrace / squaredGradientNorm,
  };
}
