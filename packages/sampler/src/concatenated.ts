import { requirePosition, type IndexCursor, type IndexSampler } from './index-sampler.ts';
import { joined } from './joined.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';
import { Taken } from './taken.ts';

/**
 * One data set after the other: an epoch is an epoch of each, in the order given. The indices of a data set are moved
 * up by the populations of those before it. The state is the list of their states.
 * @throws RangeError when there are none, or together they have more than 2³¹ − 1 examples
 */
export function concatenated(samplers: readonly IndexSampler[]): IndexSampler {
  const { offsets, ...whole } = joined(samplers);
  const size = samplers.reduce((sum, sampler) => sum + sampler.size, 0);
  requireInteger('The joined size', size, { from: 1, to: MAX_SIZE });
  return {
    size,
    ...whole,
    epoch(index, startAt = 0) {
      requirePosition(size, index, startAt);
      const cursors: IndexCursor[] = [];
      let position = startAt;
      let taken = new Taken(0);
      return {
        take(count) {
          requireInteger('count', count, { from: 1 });
          const from = position;
          position = Math.min(size, from + count);
          taken = new Taken(position - from);
          let start = 0;
          samplers.forEach((sampler, part) => {
            const [first, end] = [Math.max(from, start), Math.min(position, start + sampler.size)];
            if (first < end) {
              const cursor = (cursors[part] ??= sampler.epoch(index, first - start));
              taken.take(cursor, places(first - from, end - from), offsets[part] ?? 0);
            }
            start += sampler.size;
          });
          return taken.indices;
        },
        get weights() {
          return taken.weights;
        },
      };
    },
    ...(samplers.some(({ independent }) => independent) && {
      independent: concatenated(samplers.map((sampler) => sampler.independent ?? sampler)),
    }),
  };
}

const places = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, k) => from + k);
