import { goodputOf, type ExamplesLaw } from './goodput-maths.ts';
import {
  firstUseSeconds,
  hasRun,
  stepSeconds,
  usualError,
  usualSeconds,
  type StepTimes,
} from './step-time.ts';

export interface SizeQuestion extends ExamplesLaw {
  /** The batch size that runs now, examples. */
  readonly held: number;
  /** The sizes to choose from; `held` is always one. */
  readonly candidates: readonly number[];
  readonly times: StepTimes;
  /** Examples left in the run; infinite where no end is known. */
  readonly remainingExamples: number;
}

/** A batch size and what its step takes. */
export interface WeighedSize {
  readonly batchSize: number;
  readonly stepSeconds: number;
  /** True where no step of this size was timed: the seconds follow from those of other sizes. */
  readonly predicted: boolean;
}

export interface SizeAnswer {
  readonly held: WeighedSize;
  readonly chosen: WeighedSize;
  /** Progress per second of the chosen size over that of the held one. */
  readonly progressRatio: number;
  /** The same, less the first-use cost of a size that never ran, spread over what is left of the run. */
  readonly pricedRatio: number;
  /** Standard error of the ratio, as far as the step times are noisy. */
  readonly ratioError: number;
}

/**
 * The noise scale grows while a run goes on, on MNIST from 50 at the start to 900 on average (McCandlish et al. 2018, table 1), and at the start
 * it is what a few steps say. Twice is far less than that.
 */
const GROWTH = 2;

/**
 * The candidate of highest goodput, undefined where no step was timed yet. Of two equal ones, the one held. A smaller one must be no worse
 * at twice the noise scale, too: what pays for the next few hundred steps alone is soon to be taken back.
 */
export function chooseSize(question: SizeQuestion): SizeAnswer | undefined {
  const { held, candidates, times, remainingExamples } = question;
  const heldSeconds = stepSeconds(times, held);
  if (heldSeconds === undefined) return undefined;
  const goodput = (batchSize: number, seconds: number, growth = 1): number =>
    goodputOf({
      ...question,
      criticalBatchSize: growth * question.criticalBatchSize,
      batchSize,
      stepSeconds: seconds,
    });
  const heldGoodput = goodput(held, heldSeconds);
  const remainingSeconds = (remainingExamples / held) * heldSeconds;
  const firstUseShare = Math.min(1, firstUseSeconds(times) / remainingSeconds);
  const weighed = (batchSize: number, seconds: number): WeighedSize => ({
    batchSize,
    stepSeconds: seconds,
    predicted: usualSeconds(times, batchSize) === undefined,
  });
  const stay = weighed(held, heldSeconds);

  const answers = candidates.flatMap((batchSize): readonly SizeAnswer[] => {
    const seconds = stepSeconds(times, batchSize);
    if (seconds === undefined || batchSize === held) return [];
    if (batchSize < held && goodput(batchSize, seconds, GROWTH) < goodput(held, heldSeconds, GROWTH))
      return [];
    const progressRatio = goodput(batchSize, seconds) / heldGoodput;
    const pricedRatio = hasRun(times, batchSize) ? progressRatio : progressRatio * (1 - firstUseShare);
    const ratioError = Math.hypot(usualError(times, held), usualError(times, batchSize));
    return [{ held: stay, chosen: weighed(batchSize, seconds), progressRatio, pricedRatio, ratioError }];
  });
  return answers.reduce((best, answer) => (answer.pricedRatio > best.pricedRatio ? answer : best), {
    held: stay,
    chosen: stay,
    progressRatio: 1,
    pricedRatio: 1,
    ratioError: 0,
  });
}

/** Whether it may be worth a move, as far as step times are known: enough to try it, which tells more. */
export const mayPay = ({ held, chosen, pricedRatio }: SizeAnswer, leastGain: number): boolean =>
  chosen.batchSize !== held.batchSize && pricedRatio > 1 + leastGain;

/** Whether to move: for more than `leastGain`, and more than the noise of the step times. */
export const pays = (answer: SizeAnswer, leastGain: number): boolean =>
  mayPay(answer, Math.max(leastGain, answer.ratioError));
