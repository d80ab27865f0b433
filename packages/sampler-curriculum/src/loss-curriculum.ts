import { requireObservation, type AdaptiveSampler, type IndexSampler } from '@batchwise/sampler';
import type { PacedOptions } from './curriculum.ts';
import { LossRanking, type LossCurriculumState } from './loss-ranking.ts';
import { paced, requireAtLeast, requireWhole } from './paced.ts';
import { requireNumber } from './require-number.ts';

/** What decides a curriculum by losses. */
export interface LossCurriculumOptions extends PacedOptions {
  /** Examples that are let in however high their losses are. Default a hundredth of them, one at least. */
  readonly atLeast?: number;
  /** A loss is forgotten once so many others came in after it; ten times the number of examples by default. */
  readonly staleAfter?: number;
  /** What `state()` of a sampler of as many examples gave. */
  readonly state?: LossCurriculumState | undefined;
}

/**
 * A curriculum whose difficulty is the latest loss of each example, as `observe` is told. An example without a loss, or
 * with one that is out of date, is let in always: the first epoch is therefore that of `sampler`, and nobody is kept out
 * for an early loss for ever. A share of the pacing is one of the examples that have losses. Losses that are not finite
 * are left out. Otherwise as `curriculum`.
 *
 * With `selfPaced` it is self-paced learning, where a step trains on the examples below a threshold on their losses.
 *
 * @param sampler of as many draws per epoch as it has examples, and one that neither learns nor has a state itself
 * @throws RangeError when an option or the state makes no sense, or `sampler` is not of that kind
 */
export function lossCurriculum(
  sampler: IndexSampler,
  options: LossCurriculumOptions,
): AdaptiveSampler<LossCurriculumState> {
  const { size } = sampler;
  const { pacing, seed, ordering = 'curriculum', staleAfter = 10 * size, state } = options;
  const { atLeast = Math.max(1, Math.floor(size / 100)) } = options;
  requireWhole('lossCurriculum', sampler);
  if (sampler.observe) {
    throw new RangeError(
      'lossCurriculum got a sampler that learns from losses itself; give it one that does not, or use curriculum.',
    );
  }
  if (sampler.state) {
    throw new RangeError(
      'lossCurriculum got a sampler with a state of its own, which would be lost; give it one without, or use curriculum.',
    );
  }
  requireAtLeast(atLeast, size);
  requireNumber('staleAfter', staleAfter, { above: 0 });
  const ranking = new LossRanking(size, { seed, ordering, staleAfter, state });
  return {
    ...paced(sampler, { pacing, seed, atLeast, ranking }),
    observe(indices, losses) {
      requireObservation(size, indices, losses);
      ranking.tell(indices, losses);
    },
    state: () => ranking.state(),
  };
}
