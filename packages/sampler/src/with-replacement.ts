import { independentDraws } from './independent-draws.ts';
import type { IndexSampler } from './index-sampler.ts';

/** What decides the draws. */
export interface WithReplacementOptions {
  /** An integer from 0 to 2⁵³ − 1; the same seed gives the same draws on every machine. */
  readonly seed: number;
  /** Draws per epoch; as many as there are examples where it is not given. */
  readonly size?: number;
}

/**
 * Examples drawn from 0 … population − 1, all equally likely and independently of each other, as in a bootstrap: an
 * epoch repeats some and leaves others out.
 * @throws RangeError when `population` or `size` is not an integer from 1 to 2³¹ − 1, or `seed` not one from 0 to 2⁵³ − 1
 */
export function withReplacement(
  population: number,
  { seed, size = population }: WithReplacementOptions,
): IndexSampler {
  return independentDraws({
    size,
    population,
    seed,
    draw(uniforms, indices) {
      for (let k = 0; k < indices.length; k++) indices[k] = (uniforms[k] ?? 0) * population;
    },
  });
}
