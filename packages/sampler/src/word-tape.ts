import { seededRandom } from './seeded-random.ts';

/** Draws that are kept at hand. */
const BLOCK_DRAWS = 1024;
/** Blocks after which a new stream begins: what has to be skipped to reach a position. */
const STREAM_BLOCKS = 64;

/** Random words for the draws of one epoch, two for each, from any position on and the same at each reading. */
export class WordTape {
  readonly #seed: number;
  readonly #epoch: number;
  readonly #words: Uint32Array;
  #random = seededRandom(0);
  #block = -1;

  constructor(seed: number, epoch: number, draws: number) {
    this.#seed = seed;
    this.#epoch = epoch;
    this.#words = new Uint32Array(2 * Math.min(draws, BLOCK_DRAWS));
  }

  /** The words of the draws from `position` on: of `count` draws or of fewer, one at least. Valid until the next call. */
  read(position: number, count: number): Uint32Array {
    const block = Math.floor(position / BLOCK_DRAWS);
    if (block !== this.#block) this.#goTo(block);
    const from = position % BLOCK_DRAWS;
    return this.#words.subarray(2 * from, 2 * Math.min(from + count, BLOCK_DRAWS));
  }

  #goTo(block: number): void {
    const place = block % STREAM_BLOCKS;
    let skipped = 0;
    if (block === this.#block + 1 && place !== 0) skipped = place;
    else this.#random = seededRandom(this.#seed, this.#epoch, Math.floor(block / STREAM_BLOCKS));
    for (; skipped <= place; skipped++) this.#random.fill(this.#words);
    this.#block = block;
  }
}

/** A multiple of 2⁻⁵³ from 0 up to, not including, 1, from the words of draw `k`. */
export const uniformAt = (words: Uint32Array, k: number): number =>
  (words[2 * k] ?? 0) * 2 ** -32 + ((words[2 * k + 1] ?? 0) >>> 11) * 2 ** -53;
