import { seededRandom, type SeededRandom } from './seeded-random.ts';

/** Items that are still shuffled in one go: their order and the random words stay in the processor's cache. */
const CACHED_ITEMS = 2 ** 16;

/** Which of all permutations, and how it is made. */
export interface PermutationOptions {
  readonly seed: number;
  readonly stream: number;
  /** Parts that are shuffled by themselves: a power of 2 up to 2¹⁶, or 1 for no parts. */
  readonly parts?: number;
}

/**
 * 0 … size − 1 in one of its size! orders, each equally likely.
 *
 * Small ones by a Fisher-Yates shuffle. Large ones would miss the cache with each swap (3 million items a second
 * instead of 50), so each item goes to a part chosen at random first, and each part is shuffled by itself. That is exact
 * too: given how many items went to each part, all ways to divide them are equally likely, and so are all orders within
 * (A. Rao 1961; M. Sandelius, "A simple randomization procedure", J. R. Stat. Soc. B 24, 1962).
 */
export function permutation(
  size: number,
  { seed, stream, parts = partsOf(size) }: PermutationOptions,
): Int32Array {
  const order = new Int32Array(size);
  const random = seededRandom(seed, stream);
  if (parts === 1) {
    for (let k = 0; k < size; k++) order[k] = k;
    fisherYates(order, random);
    return order;
  }
  const ends = scatter(order, parts, () => seededRandom(seed, stream, 1));
  let from = 0;
  for (const end of ends) {
    fisherYates(order.subarray(from, end), random);
    from = end;
  }
  return order;
}

/** Parts of about half of what is cached. */
function partsOf(size: number): number {
  if (size <= CACHED_ITEMS) return 1;
  return 2 ** Math.min(16, Math.ceil(Math.log2(size / (CACHED_ITEMS / 2))));
}

/** Words drawn at a time: one by one they cost several times as much. */
const BLOCK_WORDS = 1024;
const BLOCK_ITEMS = 2 * BLOCK_WORDS;

/** Knuth, TAOCP vol. 2, algorithm 3.4.2 P, from the front. */
function fisherYates(order: Int32Array, random: SeededRandom): void {
  const words = new Uint32Array(BLOCK_WORDS);
  const places = new Int32Array(BLOCK_WORDS);
  for (let next = 1; next < order.length;) {
    random.fill(words);
    // As `SeededRandom.below`: the bits that are needed, and again while they are too many, in which case the place is
    // written over. Without a branch, which would be mispredicted a third of the time.
    let last = next;
    for (let k = 0; k < BLOCK_WORDS && last < order.length; k++) {
      const place = (words[k] ?? 0) >>> Math.clz32(last);
      places[last - next] = place;
      last += 1 + ((last - place) >> 31);
    }
    for (let k = 0; next < last; next++, k++) {
      const place = places[k] ?? 0;
      const moved = order[next] ?? 0;
      order[next] = order[place] ?? 0;
      order[place] = moved;
    }
  }
}

/**
 * Writes 0 … size − 1 sorted by their parts, and gives the end of each part. The parts are drawn twice, from the same
 * numbers: first to count, then to write, which takes no memory. Each word gives two of them, from the upper bits of its
 * halves; they are used where they are drawn, since a list of them would cost as much as all the rest.
 */
function scatter(order: Int32Array, parts: number, open: () => SeededRandom): Int32Array {
  const next = beginnings(order.length, parts, open());
  const words = new Uint32Array(BLOCK_WORDS);
  const shift = 32 - Math.log2(parts);
  const random = open();
  for (let from = 0; from < order.length; from += BLOCK_ITEMS) {
    random.fill(words);
    const items = Math.min(BLOCK_ITEMS, order.length - from);
    for (let k = 0; 2 * k < items; k++) {
      const word = words[k] ?? 0;
      const item = from + 2 * k;
      const one = word >>> shift;
      const at = next[one] ?? 0;
      next[one] = at + 1;
      order[at] = item;
      if (2 * k + 1 === items) break;
      const other = (word << 16) >>> shift;
      const after = next[other] ?? 0;
      next[other] = after + 1;
      order[after] = item + 1;
    }
  }
  return next;
}

/** Where each part begins. */
function beginnings(size: number, parts: number, random: SeededRandom): Int32Array {
  const words = new Uint32Array(BLOCK_WORDS);
  const shift = 32 - Math.log2(parts);
  const counts = new Int32Array(parts);
  for (let from = 0; from < size; from += BLOCK_ITEMS) {
    random.fill(words);
    const items = Math.min(BLOCK_ITEMS, size - from);
    for (let k = 0; 2 * k < items; k++) {
      const word = words[k] ?? 0;
      const one = word >>> shift;
      counts[one] = (counts[one] ?? 0) + 1;
      if (2 * k + 1 === items) break;
      const other = (word << 16) >>> shift;
      counts[other] = (counts[other] ?? 0) + 1;
    }
  }
  let begun = 0;
  return counts.map((count) => (begun += count) - count);
}
