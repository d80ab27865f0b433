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
 * instead of 100), so each item goes to a part chosen at random first, and each part is shuffled by itself. That is exact
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

/** Knuth, TAOCP vol. 2, algorithm 3.4.2 P, from the front. */
function fisherYates(order: Int32Array, random: SeededRandom): void {
  const words = new Uint32Array(BLOCK_WORDS);
  let next = BLOCK_WORDS;
  for (let last = 1; last < order.length; last++) {
    // As `SeededRandom.below`: the bits that are needed, and again while they are too many.
    const unneededBits = Math.clz32(last);
    let place: number;
    do {
      if (next === BLOCK_WORDS) {
        random.fill(words);
        next = 0;
      }
      place = (words[next++] ?? 0) >>> unneededBits;
    } while (place > last);
    const moved = order[last] ?? 0;
    order[last] = order[place] ?? 0;
    order[place] = moved;
  }
}

/**
 * Writes 0 … size − 1 sorted by their parts, and gives the end of each part. The parts are drawn twice, from the same
 * numbers: first to count, then to write, which takes no memory.
 */
function scatter(order: Int32Array, parts: number, open: () => SeededRandom): Int32Array {
  const drawn = new Uint16Array(BLOCK_ITEMS);
  const counts = new Int32Array(parts);
  const counting = partDrawer(parts, open());
  for (let from = 0; from < order.length; from += BLOCK_ITEMS) {
    counting(drawn);
    const length = Math.min(BLOCK_ITEMS, order.length - from);
    for (let k = 0; k < length; k++) {
      const part = drawn[k] ?? 0;
      counts[part] = (counts[part] ?? 0) + 1;
    }
  }
  const next = new Int32Array(parts);
  for (let part = 1; part < parts; part++) next[part] = (next[part - 1] ?? 0) + (counts[part - 1] ?? 0);
  const writing = partDrawer(parts, open());
  for (let from = 0; from < order.length; from += BLOCK_ITEMS) {
    writing(drawn);
    const length = Math.min(BLOCK_ITEMS, order.length - from);
    for (let k = 0; k < length; k++) {
      const part = drawn[k] ?? 0;
      const at = next[part] ?? 0;
      order[at] = from + k;
      next[part] = at + 1;
    }
  }
  return next;
}

const BLOCK_ITEMS = 2 * BLOCK_WORDS;

/** Draws a part for each entry of an array, two from the upper bits of the halves of a word. */
function partDrawer(parts: number, random: SeededRandom): (drawn: Uint16Array) => void {
  const words = new Uint32Array(BLOCK_WORDS);
  const shift = 16 - Math.log2(parts);
  return (drawn) => {
    random.fill(words);
    for (let k = 0; k < BLOCK_WORDS; k++) {
      const word = words[k] ?? 0;
      drawn[2 * k] = word >>> (16 + shift);
      drawn[2 * k + 1] = (word & 0xffff) >>> shift;
    }
  };
}
