import type { IndexCursor, IndexSampler } from '@batchwise/sampler';

export const range = (size: number): number[] => Array.from({ length: size }, (_, k) => k);

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

/** How often each of `size` examples comes up. */
export function countsOf(indices: readonly number[], size: number): number[] {
  const counts = range(size).map(() => 0);
  for (const index of indices) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

/** Difficulties 0 to 1, in no order of the indices, all different. */
export const scatteredScores = (size: number): number[] =>
  range(size).map((k) => (k * 0.6180339887498949) % 1);

/** The examples from the easiest on. */
export const easiestFirst = (scores: readonly number[]): number[] =>
  range(scores.length).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));

export const ascending = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);
