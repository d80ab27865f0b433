import { requireInteger } from './require-integer.ts';
import { mix64, splitMix64 } from './split-mix-64.ts';
import { xoshiro128StarStar } from './xoshiro-128.ts';

/** A stream of pseudo-random numbers; not for secrets. */
export interface SeededRandom {
  /** An integer from 0 to 2³² − 1. */
  uint32(): number;
  /** The next `words.length` numbers that `uint32` would give: several times as fast. */
  fill(words: Uint32Array): void;
  /** The next `uniforms.length` numbers that `uniform` would give: several times as fast. */
  fillUniforms(uniforms: Float64Array): void;
  /**
   * An integer from 0 to `bound` − 1, each exactly equally likely.
   * @throws RangeError when `bound` is not an integer from 1 to 2³²
   */
  below(bound: number): number;
  /** A multiple of 2⁻⁵³ from 0 up to, not including, 1. */
  uniform(): number;
}

/**
 * The one random generator of the samplers: the same seed and stream give the same numbers on every machine.
 *
 * xoshiro128** 1.1, its state filled by SplitMix64 as its authors advise. SplitMix64 starts at
 * `seed XOR mix64(stream) XOR mix64(mix64(substream))`, so the streams of one seed (an epoch, a part of it) are unrelated
 * and cost the same to open; stream 0 is what `Xoshiro128StarStar::seed_from_u64(seed)` of Rust's rand_xoshiro gives.
 *
 * @param seed an integer from 0 to 2⁵³ − 1
 * @param stream an integer from 0 to 2⁵³ − 1; 0 where it is not given
 * @param substream as `stream`
 * @throws RangeError when one of them is something else
 */
export function seededRandom(seed: number, stream = 0, substream = 0): SeededRandom {
  requireInteger('seed', seed);
  requireInteger('stream', stream);
  requireInteger('substream', substream);
  const mixed = splitMix64(BigInt(seed) ^ mix64(BigInt(stream)) ^ mix64(mix64(BigInt(substream))));
  const [first, second] = [mixed(), mixed()];
  const words = xoshiro128StarStar([lowWord(first), highWord(first), lowWord(second), highWord(second)]);
  const one = new Float64Array(1);

  return {
    ...words,
    below(bound) {
      requireInteger('bound', bound, { from: 1, to: 2 ** 32 });
      return bound === 1 ? 0 : boundedByRejection(words.uint32, bound);
    },
    uniform() {
      words.fillUniforms(one);
      return one[0] ?? 0;
    },
  };
}

/** An integer from 0 to 2⁵³ − 1 to seed a part of something with, unrelated to those of the other parts. */
export function derivedSeed(seed: number, part: number): number {
  const random = seededRandom(seed, part, 1);
  return random.uint32() + (random.uint32() >>> 11) * 2 ** 32;
}

const lowWord = (word: bigint) => Number(word & 0xffffffffn);
const highWord = (word: bigint) => Number(word >> 32n);

/**
 * Takes just the bits that `bound` − 1 needs and draws again while they are too large: fewer than two draws on
 * average, and no bias, unlike a remainder (M. O'Neill, "Efficiently generating a number in a range", 2018, "bitmask").
 */
function boundedByRejection(uint32: () => number, bound: number): number {
  const unneededBits = Math.clz32(bound - 1);
  let drawn = uint32() >>> unneededBits;
  while (drawn >= bound) drawn = uint32() >>> unneededBits;
  return drawn;
}
