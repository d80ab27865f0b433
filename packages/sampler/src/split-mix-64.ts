const WORD = (1n << 64n) - 1n;

/** The output function of SplitMix64: a bijection of 64-bit integers that keeps 0 at 0. */
export function mix64(word: bigint): bigint {
  let z = word;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & WORD;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & WORD;
  return z ^ (z >> 31n);
}

/**
 * SplitMix64: 64-bit outputs from a 64-bit state. Slow here (about 0.2 µs), and used for seeding only.
 *
 * Source: S. Vigna, https://prng.di.unimi.it/splitmix64.c (public domain), after Steele, Lea and Flood, "Fast
 * splittable pseudorandom number generators", OOPSLA 2014.
 */
export function splitMix64(state: bigint): () => bigint {
  let z = state;
  return () => {
    z = (z + 0x9e3779b97f4a7c15n) & WORD;
    return mix64(z);
  };
}
