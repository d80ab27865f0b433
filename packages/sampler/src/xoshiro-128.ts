/** Four 32-bit words, not all zero. */
export type XoshiroState = readonly [number, number, number, number];

/** A stream of integers from 0 to 2³² − 1. */
export interface WordStream {
  /** The next one. */
  uint32(): number;
  /** The next `words.length` of them: several times as fast as one by one. */
  fill(words: Uint32Array): void;
}

const rotateLeft = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

/**
 * xoshiro128** 1.1: integers from 0 to 2³² − 1 with a period of 2¹²⁸ − 1.
 *
 * Source: D. Blackman and S. Vigna, https://prng.di.unimi.it/xoshiro128starstar.c (public domain), and "Scrambled
 * linear pseudorandom number generators", ACM TOMS 47(4), 2021.
 */
export function xoshiro128StarStar([word0, word1, word2, word3]: XoshiroState): WordStream {
  let s0 = word0;
  let s1 = word1;
  let s2 = word2;
  let s3 = word3;
  const one = new Uint32Array(1);

  function fill(words: Uint32Array): void {
    // In registers: as variables of the closure each step would load and store all four. As signed integers, which they
    // are from the first step on: as numbers of either kind they would be kept as doubles.
    let [a, b, c, d] = [s0 | 0, s1 | 0, s2 | 0, s3 | 0];
    for (let k = 0; k < words.length; k++) {
      words[k] = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9);
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = rotateLeft(d, 11);
    }
    [s0, s1, s2, s3] = [a, b, c, d];
  }

  return {
    fill,
    uint32() {
      fill(one);
      return one[0] ?? 0;
    },
  };
}
