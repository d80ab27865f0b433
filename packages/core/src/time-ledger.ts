import type { TimeTotals } from './run-events.ts';

/** How many recent plain steps stand for the usual time of a batch size. */
const WINDOW = 15;

/** One applied step, for the books. */
export interface StepSeconds {
  readonly batchSize: number;
  readonly seconds: number;
  /** Seconds in inner products of gradients and in reading them. */
  readonly measuringSeconds: number;
  /** False for a step that was split to be measured, or that paid the first-use cost of a new plan. */
  readonly plain: boolean;
}

interface SizeAccount {
  readonly recentPlain: number[];
  extraSteps: number;
  extraSeconds: number;
  measuringSeconds: number;
}

/**
 * Where the time of a run went. What tuning cost is the controller's own time, failed steps, and for each measured
 * or first-of-its-plan step what it took above the median of the plain steps of the same batch size. Where there was
 * no plain step of that size, only the time spent in measuring itself is known, and counted.
 */
export class TimeLedger {
  readonly #sizes = new Map<number, SizeAccount>();
  #appliedSeconds = 0;
  #overheadSeconds = 0;
  #evaluationSeconds = 0;

  addStep({ batchSize, seconds, measuringSeconds, plain }: StepSeconds): void {
    this.#appliedSeconds += seconds;
    const account = this.#sizes.get(batchSize) ?? openAccount();
    this.#sizes.set(batchSize, account);
    if (plain) {
      account.recentPlain.push(seconds);
      if (account.recentPlain.length > WINDOW) account.recentPlain.shift();
      return;
    }
    account.extraSteps += 1;
    account.extraSeconds += seconds;
    account.measuringSeconds += measuringSeconds;
  }

  /** A batch cut short by the end of an epoch: training, but no measure of its size. */
  addShortStep(seconds: number): void {
    this.#appliedSeconds += seconds;
  }

  /** Time that trained nothing: asking the controller, a step that failed. */
  addOverhead(seconds: number): void {
    this.#overheadSeconds += seconds;
  }

  addEvaluation(seconds: number): void {
    this.#evaluationSeconds += seconds;
  }

  get evaluationSeconds(): number {
    return this.#evaluationSeconds;
  }

  /** `seconds` is the wall time of the run so far. */
  totals(seconds: number): TimeTotals {
    const excess = [...this.#sizes.values()].reduce((sum, account) => sum + excessSeconds(account), 0);
    return {
      seconds,
      trainingSeconds: this.#appliedSeconds - excess,
      tuningSeconds: this.#overheadSeconds + excess,
      evaluationSeconds: this.#evaluationSeconds,
    };
  }
}

const openAccount = (): SizeAccount => ({
  recentPlain: [],
  extraSteps: 0,
  extraSeconds: 0,
  measuringSeconds: 0,
});

function excessSeconds({ recentPlain, extraSteps, extraSeconds, measuringSeconds }: SizeAccount): number {
  if (recentPlain.length === 0) return measuringSeconds;
  return Math.max(0, extraSeconds - extraSteps * median(recentPlain));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
