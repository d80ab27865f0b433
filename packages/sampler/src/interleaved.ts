import { EndlessCursor } from './endless-cursor.ts';
import { requirePosition, type IndexSampler } from './index-sampler.ts';
import { quotaOrder } from './quota-order.ts';
import { requireInteger } from './require-integer.ts';
import { Taken } from './taken.ts';

/** A sampler that takes its turns with others. */
export interface Turns {
  readonly sampler: IndexSampler;
  /** Its examples in each epoch of the whole. */
  readonly quota: number;
  /** Moves its indices up. */
  readonly offset: number;
}

/**
 * Several samplers in turns, spread as evenly as whole examples allow (`quotaOrder`). Each is read on and on, whatever
 * its size: its epochs need not be those of the whole.
 */
export function interleaved(turns: readonly Turns[], seed: number): Pick<IndexSampler, 'size' | 'epoch'> {
  requireInteger('seed', seed);
  const quotas = turns.map(({ quota }) => quota);
  const size = quotas.reduce((sum, quota) => sum + quota, 0);
  return {
    size,
    epoch(index, startAt = 0) {
      requirePosition(size, index, startAt);
      let position = startAt;
      let reading: Reading | undefined;
      let taken = new Taken(0);
      return {
        take(count) {
          requireInteger('count', count, { from: 1 });
          reading ??= open(turns, quotaOrder(quotas, seed, index), { index, startAt });
          const { order, cursors } = reading;
          const from = position;
          position = Math.min(size, from + count);
          taken = new Taken(position - from);
          for (const [turn, places] of placesByTurn(order.subarray(from, position))) {
            const [cursor, offset] = [cursors[turn], turns[turn]?.offset];
            if (cursor && offset !== undefined) taken.take(cursor, places, offset);
          }
          return taken.indices;
        },
        get weights() {
          return taken.weights;
        },
      };
    },
  };
}

interface Reading {
  readonly order: Int32Array;
  readonly cursors: readonly EndlessCursor[];
}

function open(
  turns: readonly Turns[],
  order: Int32Array,
  { index, startAt }: { index: number; startAt: number },
): Reading {
  const before = new Int32Array(turns.length);
  for (const turn of order.subarray(0, startAt)) before[turn] = (before[turn] ?? 0) + 1;
  const cursors = turns.map(
    ({ sampler, quota }, turn) => new EndlessCursor(sampler, index * quota + (before[turn] ?? 0)),
  );
  return { order, cursors };
}

function placesByTurn(order: Int32Array): Map<number, number[]> {
  const places = new Map<number, number[]>();
  order.forEach((turn, place) => {
    const known = places.get(turn);
    if (known) known.push(place);
    else places.set(turn, [place]);
  });
  return places;
}
