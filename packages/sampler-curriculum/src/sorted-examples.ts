import { countUpTo } from './ranking.ts';

/** An example and the number it is sorted by. */
export interface Keyed {
  readonly example: number;
  readonly key: number;
}

/** Examples sorted by a key each, equals by a second order. A change of a few costs a copy of the list, not a sort. */
export class SortedExamples {
  readonly #tieBreak: Int32Array;
  #examples = new Int32Array();
  #keys = new Float64Array();

  /** @param tieBreak one number per example, all different */
  constructor(tieBreak: Int32Array) {
    this.#tieBreak = tieBreak;
  }

  get length(): number {
    return this.#examples.length;
  }

  exampleAt(place: number): number {
    return this.#examples[place] ?? 0;
  }

  countUpTo(bound: number): number {
    return countUpTo(this.#keys, bound);
  }

  /** The place of an example that is in the list, or where it would stand. */
  placeOf({ example, key }: Keyed): number {
    const tie = this.#tieBreak[example] ?? 0;
    let [from, to] = [0, this.#keys.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      const other = this.#keys[middle] ?? 0;
      const isBefore = other === key ? (this.#tieBreak[this.#examples[middle] ?? 0] ?? 0) < tie : other < key;
      if (isBefore) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Takes out examples that are in the list, under the keys they have there, and puts in others. */
  update(removed: readonly Keyed[], added: readonly Keyed[]): void {
    if (removed.length === 0 && added.length === 0) return;
    const gone = Float64Array.from(removed, (item) => this.placeOf(item)).sort();
    this.#rebuild(
      this.length - gone.length,
      [...gone].map((place) => ({ until: place, skip: 1 })),
    );
    const tieOf = ({ example }: Keyed) => this.#tieBreak[example] ?? 0;
    const incoming = [...added].sort((a, b) => a.key - b.key || tieOf(a) - tieOf(b));
    this.#rebuild(
      this.length + incoming.length,
      incoming.map((item) => ({ until: this.placeOf(item), item })),
    );
  }

  /** Copies the lists in stretches, each up to a place, with an example left out or put in behind it. */
  #rebuild(length: number, breaks: readonly { until: number; skip?: number; item?: Keyed }[]): void {
    const [examples, keys] = [new Int32Array(length), new Float64Array(length)];
    let [from, filled] = [0, 0];
    const copy = (until: number) => {
      examples.set(this.#examples.subarray(from, until), filled);
      keys.set(this.#keys.subarray(from, until), filled);
      filled += until - from;
      from = until;
    };
    for (const { until, skip = 0, item } of breaks) {
      copy(until);
      from += skip;
      if (!item) continue;
      examples[filled] = item.example;
      keys[filled] = item.key;
      filled += 1;
    }
    copy(this.length);
    this.#examples = examples;
    this.#keys = keys;
  }
}
