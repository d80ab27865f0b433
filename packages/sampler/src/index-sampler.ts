import { requireInteger } from './require-integer.ts';

/** What survives `JSON.parse(JSON.stringify(x))` unchanged: no `undefined`, no `NaN`, no `Infinity`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * An order in which the examples of a data set are visited. The order depends on the sampler, the epoch index and, for
 * one that learns, on what it was told by `observe`; never on how it is cut into batches, nor on what else was read.
 */
export interface IndexSampler {
  /** Examples per epoch, 1 to 2³¹ − 1. */
  readonly size: number;
  /** The indices lie in 0 … `population` − 1; `size` where it is not given. */
  readonly population?: number;
  /**
   * The order of epoch `index` (0, 1, 2, …), from its `startAt`-th example on (0 where it is not given, `size` for an
   * epoch that is already over). Two cursors of one epoch do not disturb each other.
   * @throws RangeError when `index` is not an integer of 0 or more, or `startAt` not one from 0 to `size`
   */
  epoch(index: number, startAt?: number): IndexCursor;
  /**
   * Tells the losses of examples, one per index, as they come in: from then on they decide what open cursors give, too.
   * Absent where the order does not depend on them. A loss that is not finite is left out.
   * @throws RangeError when the lengths differ or an index lies outside the population; nothing was taken in then
   */
  observe?(indices: ArrayLike<number>, losses: ArrayLike<number>): void;
  /**
   * A copy of all that the order depends on beside seed, epoch and position, such as what `observe` left behind. A
   * sampler made anew with it goes on in the same way at `epoch(index, startAt)`. Absent where there is nothing.
   */
  state?(): Json;
  /**
   * How often the order was changed by other means than `observe`: what was read ahead of it is out of date once this is
   * another number. Absent where there are no such means.
   */
  changes?(): number;
  /**
   * Where the examples of a batch are no independent draws (they are alike in length, say): the same draws per epoch in
   * an order in which they are, to measure gradient noise by. It is only read; it learns by what this one is told.
   */
  readonly independent?: IndexSampler;
}

/** A position in one epoch. */
export interface IndexCursor {
  /**
   * The indices of the next `count` examples, fewer where the epoch ends, and an empty array once it is over.
   * `count` may differ from call to call. The array is the caller's own.
   * @throws RangeError when `count` is not an integer of 1 or more
   */
  take(count: number): Int32Array;
  /**
   * The importance weights of the examples of the latest `take`, one per index: what to multiply their losses by.
   * `undefined` where each counts once. The array is the caller's own.
   */
  readonly weights?: Float32Array | undefined;
}

/** A sampler that learns from losses; `State` survives JSON. */
export interface AdaptiveSampler<State extends Json> extends IndexSampler {
  observe(indices: ArrayLike<number>, losses: ArrayLike<number>): void;
  state(): State;
}

/** The number that the indices of a sampler stay below. */
export const populationOf = (sampler: IndexSampler): number => sampler.population ?? sampler.size;

/**
 * That a data set of `examples` is one that the sampler can be used on: as many as its size, or, for one that draws from
 * a `population`, at least as many as that.
 * @throws RangeError where it is not
 */
export function requireExamples({ size, population }: IndexSampler, examples: number): void {
  if (population === undefined ? examples === size : examples >= population) return;
  throw new RangeError(
    `The sampler draws from ${population ?? size} examples, but there are ${examples}; make it for as many.`,
  );
}

/** Reads the positions `from` up to, not including, `to` of one epoch into a new array. */
export type ReadPositions = (from: number, to: number) => Int32Array;

/**
 * An `IndexSampler` whose epochs can be read at any position. It checks what is asked for; `order` is asked once per
 * cursor, and its answer never for an empty stretch that lies beyond the end.
 */
export function randomAccessSampler(size: number, order: (epoch: number) => ReadPositions): IndexSampler {
  return {
    size,
    epoch(index, startAt = 0) {
      requirePosition(size, index, startAt);
      const read = order(index);
      let position = startAt;
      return {
        take(count) {
          requireInteger('count', count, { from: 1 });
          const from = position;
          position = Math.min(size, from + count);
          return read(from, position);
        },
      };
    },
  };
}

/**
 * Checks the arguments of `epoch`.
 * @throws RangeError when there is no such epoch, or no such position in an epoch of `size` examples
 */
export function requirePosition(size: number, epoch: number, startAt: number): void {
  requireInteger('epoch index', epoch);
  requireInteger('startAt', startAt, { to: size });
}

/**
 * Refuses what `observe` promises to refuse.
 * @throws RangeError when the lengths differ or an index is not an integer from 0 to `population` − 1
 */
export function requireObservation(
  population: number,
  indices: ArrayLike<number>,
  losses: ArrayLike<number>,
): void {
  if (indices.length !== losses.length) {
    throw new RangeError(
      `observe got ${indices.length} indices and ${losses.length} losses; give one loss per index.`,
    );
  }
  for (let k = 0; k < indices.length; k++) {
    const index = indices[k] ?? NaN;
    // The name is made only for the message: losses come in with every batch.
    if (!(Number.isInteger(index) && index >= 0 && index < population))
      requireInteger(`indices[${k}]`, index, { to: population - 1 });
  }
}
