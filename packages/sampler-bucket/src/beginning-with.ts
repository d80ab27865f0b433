import type { IndexCursor, IndexSampler } from '@batchwise/sampler';

/**
 * `sampler` with `example` at the front of each epoch: it changes places with the one that stood there. All other
 * examples of a uniform shuffle stay uniformly shuffled.
 */
export function beginningWith(example: number, sampler: IndexSampler): IndexSampler {
  return {
    size: sampler.size,
    independent: sampler,
    epoch(index, startAt) {
      const cursor = sampler.epoch(index, startAt);
      let head: number | undefined;
      const take: IndexCursor['take'] = (count) => {
        const indices = cursor.take(count);
        const first = (head ??= sampler.epoch(index).take(1)[0] ?? example);
        return indices.map((other) => (other === example ? first : other === first ? example : other));
      };
      return { take };
    },
  };
}
