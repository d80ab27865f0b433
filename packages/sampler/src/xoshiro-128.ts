/** Four 32-bit words, not all zero. */
export type XoshiroState = readonly [number, number, number, number];

/** A stream of integers from 0 to 2³² − 1. */
export interface WordStream {
  /** The next one. */
  uint32(): number;
  /** The next `words.length` of them: several times as fast as one by one. */
  fill(words: Uint32Array): void;
  /** Multiples of 2⁻⁵³ from 0 up to, not including, 1: the upper 27 bits of one word, then the upper 26 of the next. */
  fillUniforms(uniforms: Float64Array): void;
}

/**
 * xoshiro128** 1.1: integers from 0 to 2³² − 1 with a period of 2¹²⁸ − 1.
 *
 * Source: D. Blackman and S. Vigna, https://prng.di.unimi.it/xoshiro128starstar.c (public domain), and "Scrambled
 * linear pseudorandom number generators", ACM TOMS 47(4), 2021.
 */
export function xoshiro128StarStar([word0, word1, word2, word3]: XoshiroState): WordStream {
  let [s0, s1, s2, s3] = [word0, word1, word2, word3];
  const one = new Uint32Array(1);

  // The step stands in both loops, rotations written out: a function for it would have to keep the state in memory, at
  // twice the time. As signed integers: as numbers of either kind they would be kept as doubles.
  function fill(words: Uint32Array): void {
    let [a, b, c, d] = [s0 | 0, s1 | 0, s2 | 0, s3 | 0];
    const count = words.length;
    for (let k = 0; k < count; k++) {
      const starred = Math.imul(b, 5);
      words[k] = Math.imul((starred << 7) | (starred >>> 25), 9);
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
    }
    [s0, s1, s2, s3] = [a, b, c, d];
  }

  function fillUniforms(uniforms: Float64Array): void {
    let [a, b, c, d] = [s0 | 0, s1 | 0, s2 | 0, s3 | 0];
    const count = uniforms.length;
    for (let k = 0; k < count; k++) {
      const high = Math.imul(b, 5);
      let shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
      const low = Math.imul(b, 5);
      shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
      uniforms[k] =
        ((Math.imul((high << 7) | (high >>> 25), 9) >>> 5) * 2 ** 26 +
          (Math.imul((low << 7) | (low >>> 25), 9) >>> 6)) *
        2 ** -53;
    }
    [s0, s1, s2, s3] = [a, b, c, d];
  }

  return {
    fill,
    fillUniforms,
    uint32() {
      fill(one);
      return one[0] ?? 0;
    },
  };
}
