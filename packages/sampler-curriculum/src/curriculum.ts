import { passFeedback, type IndexSampler } from '@batchwise/sampler';
import { paced, requireAtLeast, requireWhole } from './paced.ts';
import type { Pacing } from './pacing.ts';
import { fixedRanking, type Ordering } from './ranking.ts';

/** What all curricula have in common. */
export interface PacedOptions {
  /** How fast the others come in: `competence`, `babySteps`, `fixedLinear` … */
  readonly pacing: Pacing;
  /** An integer from 0 to 2⁵³ − 1; decides the order among equals, and who stands in for those not yet let in. */
  readonly seed: number;
  /** Default `curriculum`: the easy ones first. */
  readonly ordering?: Ordering;
}

/** What decides a curriculum. */
export interface CurriculumOptions extends PacedOptions {
  /** One finite number per example, larger for harder ones: a length, the loss of another model. Copied. */
  readonly difficulty: ArrayLike<number>;
  /** Examples that are let in however the pacing begins. Default 1. */
  readonly atLeast?: number;
}

/**
 * Lets in the easiest examples first and the others at the pace of `pacing`. An epoch has as many draws as `sampler`
 * always: examples that are let in stay where they are, and take the places of the others, each equally often. So the
 * first epochs repeat easy examples; once all are in, the epochs are those of `sampler`. The order is given by the seed,
 * the epoch and the position; the clock of the pacing is epoch · size + position.
 *
 * @param sampler of as many draws per epoch as it has examples
 * @throws RangeError when a difficulty is not finite, their number is not that of the examples, the pacing keeps
 *   somebody out for ever or, by difficulty, lets nobody in at first, or `sampler` draws from a larger population
 */
export function curriculum(
  sampler: IndexSampler,
  { difficulty, pacing, seed, ordering = 'curriculum', atLeast }: CurriculumOptions,
): IndexSampler {
  requireWhole('curriculum', sampler);
  const { size } = sampler;
  if (difficulty.length !== size) {
    throw new RangeError(
      `curriculum got ${difficulty.length} difficulties for ${size} examples; give one for each.`,
    );
  }
  if (atLeast !== undefined) requireAtLeast(atLeast, size);
  const scores = Float64Array.from(difficulty, checkedScore);
  if (pacing.limits === 'difficulty') requireReach(pacing, scores, atLeast);
  else if ((atLeast ?? 1) < size) requireWholeShare(pacing);
  const ranking = fixedRanking(scores, { seed, ordering });
  return {
    ...paced(sampler, { pacing, seed, atLeast: atLeast ?? 1, ranking }),
    ...passFeedback(sampler),
  };
}

function checkedScore(score: number, k: number): number {
  if (Number.isFinite(score)) return score;
  throw new RangeError(
    `difficulty[${k}] is ${score}; give finite numbers, or leave the example out by subset.`,
  );
}

function requireWholeShare(pacing: Pacing): void {
  const end = pacing.at(Number.MAX_SAFE_INTEGER);
  if (end < 1) {
    throw new RangeError(
      `The pacing ends at share ${end}, so the rest would never be let in; end at 1 (percentile 100), or leave them out by subset.`,
    );
  }
}

function requireReach(pacing: Pacing, scores: Float64Array, atLeast: number | undefined): void {
  const [start, end] = [pacing.at(0), pacing.at(Number.MAX_SAFE_INTEGER)];
  const easiest = scores.reduce((least, score) => Math.min(least, score), Infinity);
  if (atLeast === undefined && start < easiest) {
    throw new RangeError(
      `The pacing begins at difficulty ${start}, and the easiest example has ${easiest}; begin there or above, or give atLeast.`,
    );
  }
  const harder = scores.filter((score) => score > end);
  if (harder.length > 0) {
    const hardest = harder.reduce((most, score) => Math.max(most, score), -Infinity);
    throw new RangeError(
      `The pacing ends at difficulty ${end}, and ${harder.length} examples are harder, up to ${hardest}; end there, or leave them out by subset.`,
    );
  }
}
