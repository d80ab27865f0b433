import type { StepTimeFit } from './step-time.ts';

/** One batch size to be judged. */
export interface GoodputOf {
  /** B, examples per update. */
  readonly batchSize: number;
  /** T(B), seconds per update. */
  readonly stepSeconds: number;
  /** φc, examples: the batch that needs twice the fewest steps possible. */
  readonly criticalBatchSize: number;
}

/**
 * Progress per second in examples that count, B / (T(B) · (B + φc)), times φc left out as it is common to all sizes.
 *
 * The steps to a target are S = S_min (1 + φc/B) (McCandlish et al. 2018, arXiv 1812.06162, eq. 2.11), so a step of B
 * examples is worth B/(B + φc) of the best step. Divided by its seconds this is the goodput of Pollux (Qiao et al.,
 * OSDI 2021, section 3) up to a constant.
 */
export const goodputOf = ({ batchSize, stepSeconds, criticalBatchSize }: GoodputOf): number =>
  batchSize / (stepSeconds * (batchSize + criticalBatchSize));

/**
 * The batch size of highest goodput for step time T = α + βB: √((α/β) φc) examples, infinite where β is 0. It grows
 * with the square root of the noise: following φ itself would feed back through the noise that a batch causes
 * (φ ∝ B/η) with a gain of 1 and run away, the root has a gain of ½.
 *
 * The optimum is flat: at x times the best size the run takes at most 1 + (x + 1/x − 2)/4 times as long.
 */
export const bestBatchSize = ({
  fixedSeconds,
  secondsPerExample,
  criticalBatchSize,
}: StepTimeFit & { readonly criticalBatchSize: number }): number =>
  Math.sqrt((fixedSeconds / secondsPerExample) * criticalBatchSize);
