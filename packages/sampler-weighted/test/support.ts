import type { IndexCursor, IndexSampler } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { expect } from 'vitest';

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

/** Cells of draws: how many fell in each, and which share of them should have. */
const tally = (cells: number) => ({ counts: new Float64Array(cells), shares: new Float64Array(cells) });

const add = (cells: Float64Array, cell: number, value: number): void => {
  cells[cell] = (cells[cell] ?? 0) + value;
};

/**
 * Expects draws by probabilities that add up to 1, by chi-square in 1000 stretches of places and in 100 classes: a bias
 * by either shows.
 */
export function expectDrawnBy(
  indices: Int32Array,
  { probabilities, classOf }: { probabilities: Float64Array; classOf: (index: number) => number },
): void {
  const [byPlace, byClass] = [tally(1000), tally(100)];
  const placeOf = (index: number) => Math.floor((1000 * index) / probabilities.length);
  probabilities.forEach((probability, index) => {
    add(byPlace.shares, placeOf(index), probability);
    add(byClass.shares, classOf(index), probability);
  });
  for (const index of indices) {
    add(byPlace.counts, placeOf(index), 1);
    add(byClass.counts, classOf(index), 1);
  }
  expect(chiSquare(byPlace.counts, byPlace.shares)).toBeLessThan(chiSquareLimit(999));
  expect(chiSquare(byClass.counts, byClass.shares)).toBeLessThan(chiSquareLimit(99));
}
