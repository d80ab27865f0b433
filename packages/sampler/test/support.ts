import { sequential, type AdaptiveSampler, type IndexCursor, type IndexSampler } from '../src/index.ts';

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

/** A sequential sampler that has changed four times by other means than losses. */
export const changed = (size: number): IndexSampler => ({
  ...sequential(size),
  state: () => 'kept',
  changes: () => 4,
});

/** A sequential sampler that notes what it is told, and weighs each example as is said, where it is. */
export function adaptive(size: number, weight?: number | ((index: number) => number)) {
  const told: [indices: number[], losses: number[]][] = [];
  const weightOf = typeof weight === 'function' ? weight : () => weight ?? 1;
  const sampler: AdaptiveSampler<{ readonly told: number }> = {
    size,
    epoch(index, startAt) {
      const cursor = sequential(size).epoch(index, startAt);
      let weights: Float32Array | undefined;
      return {
        take(count) {
          const indices = cursor.take(count);
          weights = weight === undefined ? undefined : Float32Array.from(indices, weightOf);
          return indices;
        },
        get weights() {
          return weights;
        },
      };
    },
    observe: (indices, losses) => void told.push([Array.from(indices), Array.from(losses)]),
    state: () => ({ told: told.flatMap(([indices]) => indices).length }),
  };
  return { sampler, told };
}
