import { seededRandom, type SeededRandom } from './seeded-random.ts';

/** Numbers that are kept at hand. */
const BLOCK = 1024;
/** Blocks after which a new stream begins: what has to be skipped to reach a position. */
const STREAM_BLOCKS = 64;

/**
 * Reads random numbers for the draws from `position` on, multiples of 2⁻⁵³ from 0 up to, not including, 1: `count` of them
 * or fewer, one at least, valid until the next call.
 */
export type UniformTape = (position: number, count: number) => Float64Array;

/** A number for each draw of one epoch, readable from any position on and the same at each reading. */
export function uniformTape(seed: number, epoch: number, draws: number): UniformTape {
  const uniforms = new Float64Array(Math.min(draws, BLOCK));
  let random: SeededRandom | undefined;
  let ready = -1;
  return (position, count) => {
    const block = Math.floor(position / BLOCK);
    if (block !== ready) {
      const place = block % STREAM_BLOCKS;
      let skipped = place;
      if (block !== ready + 1 || place === 0) {
        skipped = 0;
        random = seededRandom(seed, epoch, Math.floor(block / STREAM_BLOCKS));
      }
      for (; skipped <= place; skipped++) random?.fillUniforms(uniforms);
      ready = block;
    }
    const from = position % BLOCK;
    return uniforms.subarray(from, from + count);
  };
}
