import { populationOf, requireObservation, type IndexSampler } from './index-sampler.ts';
import { passFeedback, type Feedback } from './pass-feedback.ts';
import { passIndependent } from './pass-independent.ts';
import { PositionIndex } from './position-index.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';

/**
 * Visits only `indices`, in the order that `sampler` gives to their positions: the parts of a train/validation split,
 * a fold, a filtered data set. An index listed twice is visited twice, and its loss is told to both of its positions.
 *
 * @param indices integers from 0 to 2³¹ − 2; copied
 * @param sampler one whose population is `indices.length`
 * @throws RangeError when an index is outside that range, or the two lengths differ
 */
export function subset(indices: ArrayLike<number>, sampler: IndexSampler): IndexSampler {
  const positions = populationOf(sampler);
  if (positions !== indices.length) {
    throw new RangeError(
      `subset got ${indices.length} indices and a sampler of size ${positions}; make the sampler with indices.length.`,
    );
  }
  const chosen = Int32Array.from(indices, (index, k) => {
    requireInteger(`indices[${k}]`, index, { to: MAX_SIZE - 1 });
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
    population: chosen.reduce((largest, index) => Math.max(largest, index), 0) + 1,
    epoch(index, startAt) {
      const cursor = sampler.epoch(index, startAt);
      return {
        take: (count) => cursor.take(count).map(indexAt),
        get weights() {
          return cursor.weights;
        },
      };
    },
    ...feedback(chosen, sampler),
    ...passIndependent(sampler, (independent) => subset(chosen, independent)),
  };
}

/** Leads the losses of indices back to the positions that they stand at. */
function feedback(chosen: Int32Array, sampler: IndexSampler): Feedback {
  if (!sampler.observe) return passFeedback(sampler);
  // Made at the first loss: most subsets never hear of any.
  let index: PositionIndex | undefined;
  return {
    ...passFeedback(sampler),
    observe(indices, losses) {
      requireObservation(MAX_SIZE, indices, losses);
      index ??= new PositionIndex(chosen);
      const positions: number[] = [];
      const lossesThere: number[] = [];
      for (let k = 0; k < indices.length; k++) {
        for (const position of index.positionsOf(indices[k] ?? NaN)) {
          positions.push(position);
          lossesThere.push(losses[k] ?? NaN);
        }
      }
      sampler.observe?.(positions, lossesThere);
    },
  };
}
