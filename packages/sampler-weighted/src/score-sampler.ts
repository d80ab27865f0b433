import {
  independentDraws,
  requireInteger,
  requireObservation,
  type AdaptiveSampler,
} from '@batchwise/sampler';
import { importanceWeights, type Beta } from './importance-weights.ts';
import { requireShare, requireStateOf } from './require-weights.ts';
import { ScoredExamples, type ScoreRule, type ScoresState } from './scored-examples.ts';
import { MAX_LEAVES } from './sum-tree.ts';

/** What all samplers by score have in common. */
export interface ScoreOptions {
  /** An integer from 0 to 2⁵³ − 1; the same seed gives the same draws on every machine. */
  readonly seed: number;
  /** Draws per epoch; as many as there are examples where it is not given. */
  readonly size?: number;
  /**
   * Share of the draws that go to all examples alike, 0 to 1, default 0.1: no example is drawn less often than that, and
   * no importance weight is above (1 / floor)^β.
   */
  readonly floor?: number;
  /** A loss is forgotten once so many others came in after it; ten times the number of examples by default. */
  readonly staleAfter?: number;
  /** What `state()` of a sampler of as many examples gave. */
  readonly state?: ScoresState | undefined;
}

/** A rule without what `ScoreOptions` give, and the score that `losses[k]` means; it may throw where it means nothing. */
interface ScoreSamplerOptions extends ScoreOptions, Pick<ScoreRule, 'massOf' | 'unknown' | 'smoothing'> {
  readonly beta: Beta;
  scoreOf(loss: number, k: number): number;
}

/** @throws RangeError when an option is out of its range, or the state is of another number of examples */
export function scoreSampler(population: number, options: ScoreSamplerOptions): AdaptiveSampler<ScoresState> {
  const { size = population, floor = 0.1, staleAfter = 10 * population, state } = options;
  const { beta, massOf, scoreOf, seed, smoothing, unknown } = options;
  requireInteger('population', population, { from: 1, to: MAX_LEAVES });
  requireShare('floor', floor);
  requireShare('smoothing', smoothing);
  if (smoothing === 0) throw new RangeError('smoothing is 0, so no loss would count; give a number above 0.');
  if (!(staleAfter >= 1)) throw new RangeError(`staleAfter is ${staleAfter}; give a number of 1 or more.`);
  requireStateOf(population, state?.scores);
  const examples = new ScoredExamples(population, { floor, massOf, smoothing, staleAfter, unknown }, state);
  const sampler = independentDraws({
    size,
    population,
    seed,
    draw: (uniforms, indices) => examples.draw(uniforms, indices),
    ...importanceWeights(beta, () => examples.drawnBy),
  });
  return {
    ...sampler,
    observe(indices, losses) {
      requireObservation(population, indices, losses);
      // All or nothing: a loss that is refused must not leave those before it.
      for (const taken of [false, true])
        for (let k = 0; k < losses.length; k++) {
          const loss = losses[k] ?? NaN;
          if (!Number.isFinite(loss)) continue;
          const score = scoreOf(loss, k);
          if (taken) examples.tell(indices[k] ?? NaN, score);
        }
    },
    state: () => examples.state(),
  };
}
