import type { IndependentDraws } from '@batchwise/sampler';
import { requireShare } from './require-weights.ts';

/** A β that rises with the examples drawn. */
export interface AnnealedBeta {
  readonly from: number;
  readonly to: number;
  /** Draws, over all epochs, until it has reached `to`. */
  readonly draws: number;
}

/**
 * How far importance weights make up for unequal probabilities p: an example weighs (N p)^−β. With β = 1, multiplying
 * the losses by the weights keeps the gradient unbiased, and the weights are 1 on average; with β = 0 there are none.
 * In between a part of the bias stays, and their average is 1 at most (Schaul et al. 2016, arXiv 1511.05952, section
 * 3.4, without the division by the largest weight, which would only lower the learning rate).
 */
export type Beta = number | AnnealedBeta;

/** What examples were drawn by: an example of mass m has N p = floor + (1 − floor) m / mean. */
export interface DrawnBy {
  readonly masses: Float32Array | Float64Array;
  readonly mean: number;
  /** Default 0. */
  readonly floor?: number;
  /** The mass of those that have 0 in the list. */
  readonly unknown?: number;
}

/**
 * How `independentDraws` weighs what it drew; nothing where β is 0.
 * @throws RangeError when a β is not from 0 to 1, or the draws to anneal over are not above 0
 */
export function importanceWeights(beta: Beta, drawnBy: () => DrawnBy): Pick<IndependentDraws, 'weigh'> {
  const { from, to, draws } = typeof beta === 'number' ? { from: beta, to: beta, draws: 1 } : beta;
  requireShare(beta === from ? 'beta' : 'beta.from', from);
  requireShare('beta.to', to);
  if (!(draws > 0)) throw new RangeError(`beta.draws is ${draws}; give a number above 0.`);
  if (beta === 0) return {};
  return {
    weigh(indices, drawsBefore) {
      const { masses, mean, floor = 0, unknown = 0 } = drawnBy();
      const weights = new Float32Array(indices.length);
      for (let k = 0; k < weights.length; k++) {
        const mass = masses[indices[k] ?? 0] || unknown;
        const annealed = from + (to - from) * Math.min(1, (drawsBefore + k) / draws);
        weights[k] = (floor + ((1 - floor) * mass) / mean) ** -annealed;
      }
      return weights;
    },
  };
}
