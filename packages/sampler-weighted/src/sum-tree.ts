import { requireInteger } from '@batchwise/sampler';
import { requireNotNegative } from './require-weights.ts';

/** The most weights of a tree: 2.5 GB of sums. */
export const MAX_LEAVES = 2 ** 28;
/** Sums that stand together: a line of the processor's cache. With two of them twice as many lines are read. */
const FAN_OUT = 8;
const FAN_OUT_BITS = 3;

/**
 * Weights with their sums: changes a weight and finds an index by mass in O(log n). Each sum is always that of its parts
 * as they are now, so that nothing drifts and a tree made anew of the same weights has the same sums to the bit.
 */
export class SumTree {
  readonly size: number;
  /** As they are now; only to read. */
  readonly weights: Float64Array;
  /** Level by level from the top. Number k of a level is the sum of number 8k … 8k + 7 of the next; the last is the weights. */
  readonly #sums: Float64Array;
  /** Where each level begins. */
  readonly #starts: Int32Array;
  /** Room for a search. */
  readonly #mass = new Float64Array(1);
  readonly #ends = new Float64Array(FAN_OUT);

  /**
   * @param weights finite numbers of 0 or more
   * @throws RangeError when one is something else, or there are none or more than 2²⁸
   */
  constructor(weights: ArrayLike<number>) {
    this.size = weights.length;
    requireInteger('The number of weights', this.size, { from: 1, to: MAX_LEAVES });
    const { starts, length } = levelsOf(this.size);
    const sums = new Float64Array(length);
    const leaves = starts.at(-1) ?? 0;
    for (let k = 0; k < this.size; k++) {
      const weight = weights[k] ?? NaN;
      if (!(weight >= 0 && weight < Infinity)) requireNotNegative(`weights[${k}]`, weight);
      sums[leaves + k] = weight;
    }
    for (let level = starts.length - 1; level > 0; level--) {
      const [above = 0, from = 0, end = length] = starts.slice(level - 1);
      for (let part = from, k = 0; part < end; part += FAN_OUT, k++) sums[above + k] = sumOf(sums, part);
    }
    this.weights = sums.subarray(leaves, leaves + this.size);
    this.#sums = sums;
    this.#starts = starts;
  }

  /** The sum of all weights. */
  get total(): number {
    return sumOf(this.#sums, 0);
  }

  /** @throws RangeError when there is no such index */
  weightOf(index: number): number {
    this.#requireIndex(index);
    return this.weights[index] ?? 0;
  }

  /** @throws RangeError when there is no such index, or the weight is not a finite number of 0 or more */
  set(index: number, weight: number): void {
    this.#requireIndex(index);
    requireNotNegative('weight', weight);
    const [sums, starts] = [this.#sums, this.#starts];
    let place = index;
    let level = starts.length - 1;
    sums[(starts[level] ?? 0) + place] = weight;
    for (; level > 0; level--) {
      place >>= FAN_OUT_BITS;
      sums[(starts[level - 1] ?? 0) + place] = sumOf(sums, (starts[level] ?? 0) + FAN_OUT * place);
    }
  }

  /** Asked at each change, so that nothing is made unless it is refused. */
  #requireIndex(index: number): void {
    if (this.weights[index] === undefined) requireInteger('index', index, { to: this.size - 1 });
  }

  /**
   * The index whose stretch holds `mass`, the weights laid end to end: with `mass` drawn from 0 up to `total`, an index
   * with a probability in proportion to its weight, and never one of weight 0.
   * @throws RangeError when all weights are 0
   */
  find(mass: number): number {
    this.#mass[0] = mass;
    return this.findAt(this.#mass, 0);
  }

  /** As `find`, for number `k` of some masses: an argument that is no integer may be put on the heap. */
  findAt(masses: Float64Array, k: number): number {
    const [sums, starts, ends] = [this.#sums, this.#starts, this.#ends];
    let left = masses[k] ?? 0;
    let place = 0;
    let at = 0;
    for (let level = 0; level < starts.length; level++) {
      const first = (starts[level] ?? 0) + FAN_OUT * place;
      // Where each part ends but the last one. Spelled out, so that no sum is handed over by itself here either.
      const one = sums[first] ?? 0;
      const two = one + (sums[first + 1] ?? 0);
      const third = sums[first + 2] ?? 0;
      const four = two + (third + (sums[first + 3] ?? 0));
      const fifth = sums[first + 4] ?? 0;
      const six = four + (fifth + (sums[first + 5] ?? 0));
      const seven = six + (sums[first + 6] ?? 0);
      ends[1] = one;
      ends[2] = two;
      ends[3] = two + third;
      ends[4] = four;
      ends[5] = four + fifth;
      ends[6] = six;
      ends[7] = seven;
      // All are compared: branches would be mispredicted half of the time.
      let part =
        Number(left >= one) + Number(left >= two) + Number(left >= two + third) + Number(left >= four);
      part += Number(left >= four + fifth) + Number(left >= six) + Number(left >= seven);
      // Rounding may leave more than there is.
      while (part > 0 && sums[first + part] === 0) part -= 1;
      left -= ends[part] ?? 0;
      place = FAN_OUT * place + part;
      at = first + part;
    }
    if (sums[at] === 0) throw new RangeError('All weights are 0; give one of them a weight above 0.');
    return place;
  }
}

/** Where the levels of a tree begin, and the length of all; the last one ends with a whole line. */
function levelsOf(leaves: number): { readonly starts: Int32Array; readonly length: number } {
  const lengths = [FAN_OUT * Math.ceil(leaves / FAN_OUT)];
  for (let [nodes = 0] = lengths; nodes > FAN_OUT; lengths.unshift(nodes))
    nodes = FAN_OUT * Math.ceil(nodes / FAN_OUT ** 2);
  let length = 0;
  const starts = Int32Array.from(lengths, (own) => (length += own) - own);
  return { starts, length };
}

const pair = (sums: Float64Array, at: number): number => (sums[at] ?? 0) + (sums[at + 1] ?? 0);

/** Of the parts at `at`, added two and two. */
const sumOf = (sums: Float64Array, at: number): number =>
  pair(sums, at) + pair(sums, at + 2) + (pair(sums, at + 4) + pair(sums, at + 6));
