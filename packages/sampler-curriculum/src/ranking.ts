import { derivedSeed, shuffled } from '@batchwise/sampler';

/**
 * Which examples come in first, at the same pace: the easy ones (`curriculum`), the hard ones (`anti-curriculum`), or any
 * (`random-curriculum`): the arms of Wu, Dyer and Neyshabur, "When do curricula work?", ICLR 2021.
 */
export type Ordering = 'curriculum' | 'anti-curriculum' | 'random-curriculum';

/** Examples in the order in which they are let in: those whose difficulty is not known, then the others. */
export interface Ranking {
  readonly size: number;
  /** How many have a known difficulty. */
  readonly known: number;
  /** How many of these are at or below a bound. */
  countUpTo(bound: number): number;
  placeOf(example: number): number;
  exampleAt(place: number): number;
}

/**
 * All examples, shuffled: the order among equals. Not that of the indices, which may be that of the classes, nor that of
 * an epoch.
 * @throws RangeError when `seed` is not an integer from 0 to 2⁵³ − 1
 */
export const shuffledExamples = (size: number, seed: number): Int32Array =>
  shuffled(size, { seed: derivedSeed(seed, 0) })
    .epoch(0)
    .take(size);

/** Where each example stands in a list of all of them. */
export function placesIn(examples: Int32Array): Int32Array {
  const places = new Int32Array(examples.length);
  examples.forEach((example, place) => (places[example] = place));
  return places;
}

/** The ranking by difficulties that are all known and do not change. */
export function fixedRanking(
  difficulty: Float64Array,
  { seed, ordering }: { readonly seed: number; readonly ordering: Ordering },
): Ranking {
  const inAnyOrder = shuffledExamples(difficulty.length, seed);
  // The sort is stable.
  const ascending = inAnyOrder.toSorted((a, b) => (difficulty[a] ?? 0) - (difficulty[b] ?? 0));
  const order = {
    curriculum: () => ascending,
    'anti-curriculum': () => ascending.toReversed(),
    'random-curriculum': () => inAnyOrder,
  }[ordering]();
  const places = placesIn(order);
  const sorted = difficulty.toSorted();
  return {
    size: order.length,
    known: order.length,
    countUpTo: (bound) => countUpTo(sorted, bound),
    placeOf: (example) => places[example] ?? 0,
    exampleAt: (place) => order[place] ?? 0,
  };
}

/** How many of some ascending numbers are at or below a bound. */
export function countUpTo(ascending: Float64Array, bound: number): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((ascending[middle] ?? Infinity) <= bound) from = middle + 1;
    else to = middle;
  }
  return from;
}
