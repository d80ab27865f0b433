import {
  derivedSeed,
  passIndependent,
  populationOf,
  requireInteger,
  seededRandom,
  type IndexCursor,
  type IndexSampler,
} from '@batchwise/sampler';
import type { Pacing } from './pacing.ts';
import type { Ranking } from './ranking.ts';

/** What decides which examples are let in. */
export interface PacedPlan {
  readonly pacing: Pacing;
  /** Examples that are let in however the pacing begins. */
  readonly atLeast: number;
  readonly seed: number;
  /** As of now, where it changes. */
  readonly ranking: Ranking;
}

/**
 * How many examples, those of unknown difficulty among them, are let in after so many drawn ones.
 * @throws RangeError when the pacing gives no number
 */
function admittedCount({ pacing, atLeast, ranking }: PacedPlan, examples: number): number {
  const bound = pacing.at(examples);
  if (Number.isNaN(bound))
    throw new RangeError(`The pacing gave NaN after ${examples} examples; correct its formula.`);
  const { size, known } = ranking;
  const admitted = pacing.limits === 'share' ? countOfShare(bound, known) : ranking.countUpTo(bound);
  return Math.min(size, Math.max(atLeast, size - known + admitted));
}

/** The largest k of which k / count is at most the share: 29 of 100 for 0.29, where 0.29 · 100 is a little less. */
function countOfShare(share: number, count: number): number {
  const whole = Math.floor(Math.min(1, Math.max(0, share)) * count);
  return (whole + 1) / count <= share ? Math.min(count, whole + 1) : whole;
}

/**
 * `sampler` with each example that is not let in yet exchanged for one that is. By their ranks they are spread evenly
 * over those let in, from a place that is drawn for each epoch. So a uniform order stays uniform over those let in, each
 * comes up nearly equally often, and with all of them in it is the order of `sampler`.
 */
export function paced(sampler: IndexSampler, plan: PacedPlan): IndexSampler {
  const { size } = sampler;
  const offsetSeed = derivedSeed(plan.seed, 1);
  return {
    size,
    epoch(index, startAt = 0) {
      const cursor = sampler.epoch(index, startAt);
      const offset = seededRandom(offsetSeed, index).uniform();
      return pacedCursor(cursor, plan, { drawn: index * size + startAt, offset });
    },
    ...passIndependent(sampler, (independent) => paced(independent, plan)),
  };
}

function pacedCursor(
  cursor: IndexCursor,
  plan: PacedPlan,
  { drawn, offset }: { drawn: number; readonly offset: number },
): IndexCursor {
  const { ranking } = plan;
  let weights: Float32Array | undefined;
  return {
    take(count) {
      const indices = cursor.take(count);
      weights = cursor.weights?.slice();
      for (let k = 0; k < indices.length; k++) {
        const admitted = admittedCount(plan, drawn + k);
        const place = ranking.placeOf(indices[k] ?? 0);
        if (place < admitted) continue;
        // The product first: the quotient of integers is not rounded up to the next one.
        const spread = Math.floor(((place - admitted) * admitted) / (ranking.size - admitted));
        indices[k] = ranking.exampleAt((spread + Math.floor(offset * admitted)) % admitted);
        if (weights) weights[k] = 1;
      }
      drawn += indices.length;
      return indices;
    },
    get weights() {
      return weights;
    },
  };
}

/** @throws RangeError when the sampler leaves out examples, so that others could come in for them by mistake */
export function requireWhole(name: string, sampler: IndexSampler): void {
  const population = populationOf(sampler);
  if (population === sampler.size) return;
  throw new RangeError(
    `${name} got a sampler of ${sampler.size} examples per epoch from a population of ${population}; wrap it the other way round, as in subset(indices, ${name}(…)).`,
  );
}

/** @throws RangeError when it is not an integer from 1 to `size` */
export const requireAtLeast = (atLeast: number, size: number): void =>
  requireInteger('atLeast', atLeast, { from: 1, to: size });
