import type { IndexSampler } from './index-sampler.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';

/**
 * Visits only `indices`, in the order that `sampler` gives to their positions: the parts of a train/validation split,
 * a fold, a filtered data set. An index listed twice is visited twice.
 *
 * @param indices integers from 0 to 2³¹ − 1; copied
 * @param sampler one of size `indices.length`
 * @throws RangeError when an index is outside that range, or the two lengths differ
 */
export function subset(indices: ArrayLike<number>, sampler: IndexSampler): IndexSampler {
  if (sampler.size !== indices.length) {
    throw new RangeError(
      `subset got ${indices.length} indices and a sampler of size ${sampler.size}; make the sampler with indices.length.`,
    );
  }
  const chosen = Int32Array.from(indices, (index, k) => {
    requireInteger(`indices[${k}]`, index, { from: 0, to: MAX_SIZE });
    return index;
  });
  const indexAt = (position: number): number => {
    const index = chosen[position];
    if (index !== undefined) return index;
    throw new RangeError(
      `The sampler of a subset gave position ${position}, outside 0 to ${chosen.length - 1}.`,
    );
  };
  return {
    size: sampler.size,
    epoch(index, startAt) {
      const positions = sampler.epoch(index, startAt);
      return { take: (count) => positions.take(count).map(indexAt) };
    },
  };
}
