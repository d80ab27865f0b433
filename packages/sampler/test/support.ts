import type { IndexCursor, IndexSampler } from '../src/index.ts';

/** All that is left in an epoch, asked for in portions of the given sizes, over and over. */
export function readAll(cursor: IndexCursor, counts: readonly number[]): number[] {
  const seen: number[] = [];
  for (let turn = 0; ; turn++) {
    const part = cursor.take(counts[turn % counts.length] ?? 1);
    if (part.length === 0) return seen;
    seen.push(...part);
  }
}

/** A whole epoch in one go. */
export const orderOf = (sampler: IndexSampler, epoch: number): number[] => [
  ...sampler.epoch(epoch).take(sampler.size),
];

export const range = (size: number): number[] => Array.from({ length: size }, (_, k) => k);

/** Pearson's chi-square statistic of counts that are all expected to be equal. */
export function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/**
 * What a chi-square statistic of so many degrees of freedom exceeds with a probability below e^-18, 2 in 100 million
 * (Laurent and Massart 2000, lemma 1 with x = 18).
 */
export const chiSquareLimit = (degrees: number): number => degrees + 2 * Math.sqrt(18 * degrees) + 2 * 18;
