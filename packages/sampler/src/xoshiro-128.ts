/** Four 32-bit words, not all zero. */
export type XoshiroState = readonly [number, number, number, number];

const rotateLeft = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

/**
 * xoshiro128** 1.1: integers from 0 to 2³² − 1 with a period of 2¹²⁸ − 1.
 *
 * Source: D. Blackman and S. Vigna, https://prng.di.unimi.it/xoshiro128starstar.c (public domain), and "Scrambled
 * linear pseudorandom number generators", ACM TOMS 47(4), 2021.
 */
export function xoshiro128StarStar([word0, word1, word2, word3]: XoshiroState): () => number {
  let s0 = word0;
  let s1 = word1;
  let s2 = word2;
  let s3 = word3;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9);
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotateLeft(s3, 11);
    return result >>> 0;
  };
}
