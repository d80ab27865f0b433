import type { AdaptiveSampler, IndexCursor, IndexSampler } from '@batchwise/sampler';
import { randomAccessSampler, requireInteger, requireObservation, requirePosition } from '@batchwise/sampler';

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

/** The batches of an epoch, each made by `take`, up to the first empty one. */
export function batchesOf(take: () => Int32Array): number[][] {
  const batches: number[][] = [];
  for (;;) {
    const batch = take();
    if (batch.length === 0) return batches;
    batches.push([...batch]);
  }
}

export const range = (size: number): number[] => Array.from({ length: size }, (_, k) => k);

/** Lengths from 1 to 50, mostly short, with many ties; the longest is not the first. */
export const unevenLengths = (size: number): number[] =>
  range(size).map((k) => 1 + Math.floor(49 * ((k * 0.618) % 1) ** 2) + (k === size - 2 ? 10 : 0));

/**
 * A sampler of eight examples that learns: its epochs begin with the example that had the last loss, and weigh example i
 * at that loss times i + 1.
 */
export function learning(state = { last: 0, loss: 1 }): AdaptiveSampler<{ last: number; loss: number }> {
  let { last, loss } = state;
  return {
    size: 8,
    epoch(epoch, startAt = 0) {
      requirePosition(8, epoch, startAt);
      let position = startAt;
      let weights: Float32Array | undefined;
      return {
        take(count) {
          requireInteger('count', count, { from: 1, to: Number.MAX_SAFE_INTEGER });
          const places = range(Math.min(count, 8 - position)).map((k) => position + k);
          position += places.length;
          const indices = Int32Array.from(places, (place) => (place + last) % 8);
          weights = Float32Array.from(indices, (example) => loss * (example + 1));
          return indices;
        },
        get weights() {
          return weights;
        },
      };
    },
    observe(indices, losses) {
      requireObservation(8, indices, losses);
      const latest = Array.from(losses).findLastIndex(Number.isFinite);
      last = indices[latest] ?? last;
      loss = losses[latest] ?? loss;
    },
    state: () => ({ last, loss }),
  };
}

/** Eight examples, from `first` on in a circle, until `turnTo` says otherwise. */
export function turning(first = 0): IndexSampler & { turnTo(example: number): void } {
  let changes = 0;
  const read = (from: number, to: number) =>
    Int32Array.from({ length: to - from }, (_, k) => (from + k + first) % 8);
  return {
    ...randomAccessSampler(8, () => read),
    turnTo(example) {
      first = example;
      changes += 1;
    },
    state: () => first,
    changes: () => changes,
  };
}
