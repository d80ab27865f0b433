import type { StepTimeFit } from './step-time.ts';

/** How the examples to a target grow with the batch: as (1 + B/φc)^p. */
export interface ExamplesLaw {
  /** φc, examples. */
  readonly criticalBatchSize: number;
  /** p, above 0 and at most 1, no unit. */
  readonly examplesExponent: number;
}

/** One batch size to be judged. */
export interface GoodputOf extends ExamplesLaw {
  /** B, examples per update. */
  readonly batchSize: number;
  /** T(B), seconds per update. */
  readonly stepSeconds: number;
}

/**
 * Progress per second in examples that count, B / (T(B) · (B + φc)^p), times φc^p left out as it is common to all sizes.
 *
 * p = 1: the steps to a target are S = S_min (1 + φc/B) (McCandlish et al. 2018, arXiv 1812.06162, eq. 2.11), so a step of
 * B examples is worth B/(B + φc) of the best step. Divided by its seconds this is the goodput of Pollux (Qiao et al.,
 * OSDI 2021, section 3) up to a constant.
 *
 * p = ½: an optimizer that divides by the root of the mean squared gradient, |G| √(1 + φ/B), with a rate that grows as √B
 * goes √B/√(1 + φ/B) = B/√(B + φ) as far with a step, as long as that rate is no more than the loss stands.
 */
export const goodputOf = ({
  batchSize,
  stepSeconds,
  criticalBatchSize,
  examplesExponent,
}: GoodputOf): number => batchSize / (stepSeconds * (batchSize + criticalBatchSize) ** examplesExponent);

/**
 * The batch size of highest goodput for step time T = α + βB, with r = α/β the larger root of
 * p B² − (1 − p) r B − r φc = 0: √(r φc) for p = 1, (r + √(r² + 8 r φc))/2 for p = ½. Infinite where β is 0. It grows
 * with the square root of the noise at the most: following φ itself would feed back through the noise that a batch causes
 * (φ ∝ B/η) with a gain of 1 and run away, the root has a gain of ½.
 *
 * The optimum is flat: for p = 1 the run takes at x times the best size at most 1 + (x + 1/x − 2)/4 times as long.
 */
export function bestBatchSize({
  fixedSeconds,
  secondsPerExample,
  criticalBatchSize,
  examplesExponent: p,
}: StepTimeFit & ExamplesLaw): number {
  const ratio = fixedSeconds / secondsPerExample;
  const half = p === 1 ? 0 : ((1 - p) * ratio) / 2;
  return (half + Math.sqrt(half ** 2 + p * ratio * criticalBatchSize)) / p;
}
