import { seededRandom } from './seeded-random.ts';

const ROUNDS = 8;

/**
 * One of the permutations of 0 … size − 1, computed place by place.
 *
 * A place is written as (left, right) with left below a = ⌈√size⌉ and right below b = ⌈size / a⌉. In turns a hash of one
 * is added to the other, modulo a and b, which can be undone and so is a permutation of 0 … ab − 1. What falls on size
 * or beyond, fewer than a of them, goes through again until it falls below (J. Black and P. Rogaway, "Ciphers with
 * arbitrary finite domains", CT-RSA 2002: generalized Feistel cipher and cycle walking).
 */
export function feistelPermutation(size: number, seed: number, stream: number): (place: number) => number {
  const lefts = Math.ceil(Math.sqrt(size));
  const rights = Math.ceil(size / lefts);
  const keys = new Uint32Array(ROUNDS);
  seededRandom(seed, stream).fill(keys);

  const once = (place: number): number => {
    let left = place % lefts;
    let right = Math.floor(place / lefts);
    for (let round = 0; round < ROUNDS; round += 2) {
      left = (left + hashBelow(lefts, right, keys[round] ?? 0)) % lefts;
      right = (right + hashBelow(rights, left, keys[round + 1] ?? 0)) % rights;
    }
    return right * lefts + left;
  };
  return (place) => {
    let image = once(place);
    while (image >= size) image = once(image);
    return image;
  };
}

/** A number below `bound` from a value and a key, by the finalizer of MurmurHash3 (A. Appleby, public domain). */
function hashBelow(bound: number, value: number, key: number): number {
  let h = Math.imul(value, 0x9e3779b1) ^ key;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return Math.floor(((h ^ (h >>> 16)) >>> 0) * bound * 2 ** -32);
}
