import type { StepTimeFit } from './step-time.ts';

/** How the examples to a target grow with the batch: as (1 + (B/φc)^q)^(p/q). */
export interface ExamplesLaw {
  /** φc, examples: far smaller batches take about as many examples as the smallest. */
  readonly criticalBatchSize: number;
  /** p, above 0 and at most 1, no unit: far beyond φc the examples grow as B^p. */
  readonly examplesExponent: number;
  /** q, at least 1, no unit: how sharply the one turns into the other. */
  readonly examplesSharpness: number;
}

/** One batch size to be judged. */
export interface GoodputOf extends ExamplesLaw {
  /** B, examples per update. */
  readonly batchSize: number;
  /** T(B), seconds per update. */
  readonly stepSeconds: number;
}

/**
 * Progress per second in examples that count, B / (T(B) · (B^q + φc^q)^(p/q)), times φc^p left out as it is common to all
 * sizes.
 *
 * p = q = 1: the steps to a target are S = S_min (1 + φc/B) (McCandlish et al. 2018, arXiv 1812.06162, eq. 2.11), so a
 * step of B examples is worth B/(B + φc) of the best step. Divided by its seconds this is the goodput of Pollux (Qiao et
 * al., OSDI 2021, section 3) up to a constant.
 *
 * p = ½, q = 2: an optimizer that divides by the root of the mean squared gradient, |G| √(1 + φ/B), with a rate that grows
 * as √B. With u = 1/√(1 + B/φ) a step gains in proportion to B u and adds noise in proportion to B u². At the rate that is
 * best for small batches the noise costs half of the gain, and B examples are worth B (2u − u²): the examples begin to grow as
 * 1 + (B/2φ)², which is how (1 + (B/φ)²)^¼ begins, and end as √B. Where they end is a fit, twice what this says
 * (docs/decisions/0019).
 */
export const goodputOf = ({
  batchSize,
  stepSeconds,
  criticalBatchSize,
  examplesExponent: p,
  examplesSharpness: q,
}: GoodputOf): number => batchSize / (stepSeconds * (batchSize ** q + criticalBatchSize ** q) ** (p / q));

/** Newton's method takes less than ten at q = 2, some fifteen at 8; it ends where rounding does. */
const MOST_ITERATIONS = 100;

/**
 * The batch size of highest goodput for step time T = α + βB, with r = α/β the positive root of
 * B^q (p B − (1 − p) r) − r φc^q = 0: √(r φc) for p = q = 1. Infinite where β is 0. For p = q = 1 it grows with the square
 * root of the noise, for p = ½ and q = 2 as its power ⅔ at the most: following φ itself would feed back through the noise
 * that a batch causes (φ ∝ B/η) with a gain of 1 and run away.
 *
 * The optimum is flat: for p = q = 1 the run takes at x times the best size at most 1 + (x + 1/x − 2)/4 times as long.
 */
export function bestBatchSize({
  fixedSeconds,
  secondsPerExample,
  criticalBatchSize,
  examplesExponent: p,
  examplesSharpness: q,
}: StepTimeFit & ExamplesLaw): number {
  const ratio = fixedSeconds / secondsPerExample;
  if (ratio === 0 || ratio === Infinity) return ratio;
  const noise = ratio * criticalBatchSize ** q;
  const pole = (1 - p) * ratio;
  // At or above the root, from where the curve is convex: each step is a smaller one down.
  let best = pole / p + (noise / p) ** (1 / (q + 1));
  for (let i = 0; i < MOST_ITERATIONS; i += 1) {
    const value = best ** q * (p * best - pole) - noise;
    const slope = best ** (q - 1) * (p * (q + 1) * best - q * pole);
    const next = best - value / slope;
    if (!(next < best)) break;
    best = next;
  }
  return best;
}
