import { passFeedback } from './pass-feedback.ts';
import { passIndependent } from './pass-independent.ts';
import { populationOf, requirePosition, type IndexSampler } from './index-sampler.ts';
import { requireInteger } from './require-integer.ts';

/** One of several workers. */
export interface Shard {
  /** 0 … world − 1. */
  readonly rank: number;
  /** Workers in all. */
  readonly world: number;
}

/**
 * The part of one worker: of the order of `sampler` the examples number rank, rank + world, rank + 2 world, … All
 * workers that take n examples each have the n · world examples that one worker alone would have had, whatever the
 * batch sizes are and were. Nothing is repeated or dropped: where `world` does not divide the size, the workers of a low
 * rank have one example more.
 *
 * A sampler that learns must be told the losses of all workers, in the same order on each.
 *
 * @param sampler the same on each worker
 * @throws RangeError when `world` is not an integer from 1 to the size of the sampler, or `rank` not one from 0 to
 *   `world` − 1
 */
export function shard(sampler: IndexSampler, { rank, world }: Shard): IndexSampler {
  requireInteger('world', world, { from: 1, to: sampler.size });
  requireInteger('rank', rank, { to: world - 1 });
  const size = Math.ceil((sampler.size - rank) / world);
  const own = <Numbers extends Int32Array | Float32Array>(all: Numbers): Numbers =>
    all.filter((_, k) => k % world === rank) as Numbers;
  return {
    size,
    population: populationOf(sampler),
    epoch(index, startAt = 0) {
      requirePosition(size, index, startAt);
      const cursor = sampler.epoch(index, Math.min(sampler.size, startAt * world));
      let left = size - startAt;
      let weights: Float32Array | undefined;
      return {
        take(count) {
          requireInteger('count', count, { from: 1 });
          const taken = Math.min(count, left);
          left -= taken;
          // Once it is over this reads past the end of the inner epoch, or the last examples of higher ranks.
          const all = cursor.take(Math.max(1, taken) * world);
          weights = cursor.weights && own(cursor.weights).subarray(0, taken);
          return own(all).subarray(0, taken);
        },
        get weights() {
          return weights;
        },
      };
    },
    ...passFeedback(sampler),
    ...passIndependent(sampler, (independent) => shard(independent, { rank, world })),
  };
}
