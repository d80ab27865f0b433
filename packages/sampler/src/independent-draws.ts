import { requirePosition, type IndexSampler } from './index-sampler.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';
import { uniformTape, type UniformTape } from './uniform-tape.ts';

/** Draws of which none depends on another. */
export interface IndependentDraws {
  /** Draws per epoch. */
  readonly size: number;
  /** What the indices stay below. */
  readonly population: number;
  readonly seed: number;
  /**
   * Draws `indices.length` of them: number k from uniform number k, which is from 0 up to, not including, 1, and from
   * nothing that changes by it.
   */
  draw(uniforms: Float64Array, indices: Int32Array): void;
  /** Importance weights of indices just drawn, the first of which was draw number `drawsBefore` of all epochs. */
  weigh?(indices: Int32Array, drawsBefore: number): Float32Array;
}

/**
 * A sampler that draws with replacement. Each draw has random numbers of its own, given by (seed, epoch, position), so
 * epochs can be read from any position on, and draws may depend on what was observed before them.
 * @throws RangeError when `size` or `population` is not an integer from 1 to 2³¹ − 1, or `seed` not one from 0 to 2⁵³ − 1
 */
export function independentDraws(draws: IndependentDraws): IndexSampler {
  const { size, population, seed } = draws;
  requireInteger('size', size, { from: 1, to: MAX_SIZE });
  requireInteger('population', population, { from: 1, to: MAX_SIZE });
  requireInteger('seed', seed);
  return {
    size,
    population,
    epoch(index, startAt = 0) {
      requirePosition(size, index, startAt);
      let tape: UniformTape | undefined;
      let position = startAt;
      let weights: Float32Array | undefined;
      return {
        take(count) {
          requireInteger('count', count, { from: 1 });
          tape ??= uniformTape(seed, index, size);
          const from = position;
          const indices = new Int32Array(Math.min(count, size - from));
          for (let drawn = 0; drawn < indices.length;) {
            const uniforms = tape(from + drawn, indices.length - drawn);
            const ready = uniforms.length;
            // A view is an object of its own, and most batches do without.
            const all = ready === indices.length;
            draws.draw(uniforms, all ? indices : indices.subarray(drawn, drawn + ready));
            drawn += ready;
          }
          position = from + indices.length;
          weights = draws.weigh?.(indices, index * size + from);
          return indices;
        },
        get weights() {
          return weights;
        },
      };
    },
  };
}
