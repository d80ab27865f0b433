import type { IndexCursor, IndexSampler } from '@batchwise/sampler';

export const range = (size: number): number[] => Array.from({ length: size }, (_, k) => k);

/** Examples and their weights in an epoch, or of what is left of one. */
export function drawAll(cursor: IndexCursor, size: number): { indices: Int32Array; weights: Float32Array } {
  const indices = cursor.take(size);
  return { indices, weights: cursor.weights ?? new Float32Array() };
}

/** How often each index came up. */
export function countsOf(indices: ArrayLike<number>, population: number): number[] {
  const counts = range(population).map(() => 0);
  for (const index of Array.from(indices)) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

/** How often each index comes up in an epoch. */
export const drawnCounts = (sampler: IndexSampler, population: number, epoch = 0): number[] =>
  countsOf(sampler.epoch(epoch).take(sampler.size), population);

/** Weights scaled to add up to 1. */
export function shares(weights: ArrayLike<number>): number[] {
  const all = Array.from(weights);
  const total = all.reduce((sum, weight) => sum + weight, 0);
  return all.map((weight) => weight / total);
}

export const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
