import { MinHeap } from './min-heap.ts';
import { seededRandom } from './seeded-random.ts';

/**
 * Divides `total` in whole numbers in proportion: rounded down, and what is left goes one each to the largest remainders.
 * @throws RangeError when a proportion is not a number above 0, or too small for one of `total`
 */
export function apportion(total: number, proportions: readonly number[]): number[] {
  const sum = proportions.reduce((before, proportion, k) => {
    if (proportion > 0 && Number.isFinite(proportion)) return before + proportion;
    throw new RangeError(`proportions[${k}] is ${proportion}; give a number above 0.`);
  }, 0);
  const exact = proportions.map((proportion) => (total * proportion) / sum);
  const quotas = exact.map(Math.floor);
  const left = total - quotas.reduce((before, quota) => before + quota, 0);
  const byRemainder = exact
    .map((share, k) => ({ k, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.k - b.k);
  for (const { k } of byRemainder.slice(0, left)) quotas[k] = (quotas[k] ?? 0) + 1;
  const empty = quotas.indexOf(0);
  if (empty !== -1) {
    throw new RangeError(
      `proportions[${empty}] is ${proportions[empty]}, less than one example in an epoch of ${total}; ` +
        'give a larger size or proportion.',
    );
  }
  return quotas;
}

/**
 * An order of parts in which part k comes up `quotas[k]` times, evenly: among the first p places, and so among those of
 * any batch from the start, it has less than one place more or less than p · quotas[k] / Σ quotas. Ties are drawn.
 *
 * Place number j of a part must lie in ⌊j n / q⌋ … ⌈(j + 1) n / q⌉ − 1; of all parts whose next place may come, the one
 * whose time runs out first is next. That rule finds an order whenever there is one (earliest deadline first, Liu and
 * Layland 1973), and here there is (S. Baruah et al., "Proportionate progress", Algorithmica 15, 1996).
 */
export function quotaOrder(quotas: readonly number[], seed: number, stream: number): Int32Array {
  const size = quotas.reduce((sum, quota) => sum + quota, 0);
  const random = seededRandom(seed, stream);
  const waiting = new Calendar(size, quotas.length);
  const ready = new MinHeap(quotas.length);
  const placed = new Int32Array(quotas.length);
  for (let part = 0; part < quotas.length; part++) waiting.add(0, part);
  return Int32Array.from({ length: size }, (_, place) => {
    for (let part = waiting.first(place); part !== -1; part = waiting.after(part)) {
      const deadline = Math.ceil((((placed[part] ?? 0) + 1) * size) / (quotas[part] ?? 1));
      // 2³¹ deadlines and 2²¹ ways to break a tie fit in a double.
      ready.add(deadline * 2 ** 21 + (random.uint32() >>> 11), part);
    }
    const part = ready.take();
    const next = (placed[part] ?? 0) + 1;
    placed[part] = next;
    const quota = quotas[part] ?? 1;
    if (next < quota) waiting.add(Math.max(place + 1, Math.floor((next * size) / quota)), part);
    return part;
  });
}

/** Which parts come up when: a linked list for each place. */
class Calendar {
  readonly #first: Int32Array;
  readonly #after: Int32Array;

  constructor(places: number, parts: number) {
    this.#first = new Int32Array(places).fill(-1);
    this.#after = new Int32Array(parts);
  }

  add(place: number, part: number): void {
    this.#after[part] = this.first(place);
    this.#first[place] = part;
  }

  /** −1 where there is none. */
  first(place: number): number {
    return this.#first[place] ?? -1;
  }

  after(part: number): number {
    return this.#after[part] ?? -1;
  }
}
