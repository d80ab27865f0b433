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
export function xoshiro128StarStar(state: XoshiroState): WordStream {
  const own = Int32Array.from(state);
  const one = new Uint32Array(1);
  return {
    fill: (words) => fill(own, words),
    fillUniforms: (uniforms) => fillUniforms(own, uniforms),
    uint32() {
      fill(own, one);
      return one[0] ?? 0;
    },
  };
}

// The step stands in both loops, rotations written out: a function for it would keep the state in memory, at 1.6
// times the time. Functions of the module, since those of a stream would have to be compiled for each.

function fill(state: Int32Array, words: Uint32Array): void {
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
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
  state[0] = a;
  state[1] = b;
  state[2] = c;
  state[3] = d;
}

function fillUniforms(state: Int32Array, uniforms: Float64Array): void {
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
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
  state[0] = a;
  state[1] = b;
  state[2] = c;
  state[3] = d;
}
