import type { BatchPlan, Observer, Progress, Reason, RunEvents, TimeTotals } from '@batchwise/core';
import { addSample, noiseScale, type NoiseScale, type NoiseScaleState } from '@batchwise/noise-scale';
import { Beforehand } from './beforehand.ts';
import { count, duration, figure, percent } from './format.ts';
import type { ProbedMemory } from './probe-memory.ts';

/** What is forgotten of the noise scale after this many more measured examples. */
const HORIZON_EXAMPLES = 8192;

/** Why a policy runs a size for a few steps, to see what it takes. */
const TRIAL = 'explore';

/** Why weights were put back: the rate was too high for this run. */
const PUT_BACK: ReadonlySet<string> = new Set(['exploded', 'non-finite']);

/** A plan that a run went over to. */
export interface BatchChange extends BatchPlan {
  /** Steps and examples before it. */
  readonly step: number;
  readonly examples: number;
  readonly epoch: number;
  readonly reason: Reason;
}

/** Numbers per epoch, in the form of a `History`. */
export type BatchNumbers = {
  /** Mean examples per update. */
  readonly batchSize: number[];
  /** Factor on the configured learning rate at the end of the epoch. */
  readonly learningRateScale: number[];
  /** Mean wall time of an update in seconds. */
  readonly stepSeconds: number[];
  /** Gradient noise scale in examples; NaN while it is not known. */
  readonly noiseScale: number[];
};

/**
 * What became of the batch, as a `History` says what became of the loss: `epoch` and `history` have its form, so that
 * `tfvis.show.history(surface, tuned.history, ['batchSize'])` draws it. Begins anew with each run that it observes.
 */
export interface BatchHistory extends Pick<Observer, 'name'> {
  readonly epoch: readonly number[];
  readonly history: Readonly<BatchNumbers>;
  /** The first plan and each later one, with the reason. */
  readonly changes: readonly BatchChange[];
  /** As measured over the last steps. */
  readonly noise: NoiseScale;
  /** What trials found out about memory before the first step, where there were any to be made. */
  readonly memory: ProbedMemory | undefined;
  /** Where the time went, once the run is over. What was done before the first step of a fit counts as tuning. */
  readonly totals: TimeTotals | undefined;
  /** A few lines for a person: what ran, why, what it cost, and where to start the next time. */
  summary(): string;
}

/** What a summary is about. */
interface Done extends Pick<Progress, 'step' | 'examples'> {
  readonly totals: TimeTotals;
  /** What the learning rate came to, in words. */
  readonly rate: string;
}

/** Keeps the history of a run: an observer for `train`, for `batchwise` and for `fit`. */
export function batchHistory(): BatchHistory & Observer {
  return new Recorder();
}

/** Keeps the history of a run. */
export class Recorder implements BatchHistory {
  readonly name = 'batch history';
  epoch: number[] = [];
  history = emptyNumbers();
  changes: BatchChange[] = [];
  /** Of the fit that it belongs to; that of `batchHistory()` belongs to none. */
  beforehand = new Beforehand();
  totals: TimeTotals | undefined;
  #noise: NoiseScaleState | undefined;
  #end: RunEvents['runFinished'] | undefined;
  #learningRateScale = 1;
  /** Of the last step that was no trial. */
  #settledAt: number | undefined;

  get memory(): ProbedMemory | undefined {
    return this.beforehand.memory;
  }

  get noise(): NoiseScale {
    return noiseScale(this.#noise);
  }

  onRunStarted(event: RunEvents['runStarted']): void {
    this.begin(event, { step: 0, examples: 0, epoch: 0 });
  }

  /** Begins anew with a run that has come so far. */
  begin({ plan, reason }: Pick<RunEvents['runStarted'], 'plan' | 'reason'>, progress: Progress): void {
    this.epoch = [];
    this.history = emptyNumbers();
    this.changes = [];
    this.totals = undefined;
    this.#noise = undefined;
    this.#end = undefined;
    this.#settledAt = undefined;
    this.#learningRateScale = plan.learningRateScale;
    this.#push(progress, plan, reason);
  }

  onPlanChanged({ to, reason, ...progress }: RunEvents['planChanged']): void {
    this.#push(progress, to, reason);
  }

  onStepFinished({ outcome, reason }: RunEvents['stepFinished']): void {
    if (reason.code !== TRIAL) this.#settledAt = outcome.plan.batchSize;
    this.#learningRateScale = outcome.plan.learningRateScale;
    if (outcome.gradient)
      this.#noise = addSample(this.#noise, outcome.gradient, { horizonExamples: HORIZON_EXAMPLES });
  }

  onEpochFinished({ epoch, epochExamples, epochSteps, seconds }: RunEvents['epochFinished']): void {
    const { noise } = this;
    this.epoch.push(epoch);
    this.history.batchSize.push(epochExamples / epochSteps);
    this.history.learningRateScale.push(this.#learningRateScale);
    this.history.stepSeconds.push(seconds / epochSteps);
    this.history.noiseScale.push(noise.known ? noise.noiseScale : NaN);
  }

  onRunFinished(event: RunEvents['runFinished']): void {
    this.#end = event;
    this.totals = withTuning(event.totals, this.beforehand.seconds);
  }

  summary(): string {
    const [end, totals] = [this.#end, this.totals];
    if (!end || !totals || this.changes.length === 0) return 'Batchwise: the run has not ended yet.';
    return this.summaryOf({
      ...end,
      totals,
      rate: `${figure(this.#learningRateScale)} times yours at the end`,
    });
  }

  /** The summary of what was done in so many steps. */
  summaryOf({ step, examples, totals, rate }: Done): string {
    const { trainingSeconds, tuningSeconds } = totals;
    const share = tuningSeconds / Math.max(trainingSeconds + tuningSeconds, Number.MIN_VALUE);
    return [
      `Batchwise: ${count(examples)} examples in ${count(step)} updates, ` +
        `${duration(trainingSeconds)} training and ${duration(tuningSeconds)} tuning (${percent(share)}).`,
      `Batch ${this.#sizes()}; learning rate ${rate}.`,
      ...this.changes.slice(-1).map(({ reason }) => reason.text),
      ...(this.memory?.batchSize === undefined ? [] : [this.memory.text]),
      ...this.#noiseLine(),
      ...this.#advice(),
    ].join('\n');
  }

  #push({ step, examples, epoch }: Progress, plan: BatchPlan, reason: Reason): void {
    this.changes.push({ step, examples, epoch, ...plan, reason });
  }

  #sizes(): string {
    const sizes = this.changes.map(({ batchSize }) => batchSize);
    return sizes
      .filter((size, i) => size !== sizes[i - 1])
      .map(count)
      .join(' → ');
  }

  #noiseLine(): string[] {
    const { noise } = this;
    if (!noise.known) return [];
    const between = `${count(noise.lower)} to ${count(noise.upper)}`;
    return [`Gradient noise scale about ${count(noise.noiseScale)} examples (${between}).`];
  }

  /**
   * Only where the run settled somewhere else than it began. The rate of the last step is not what a run begins with: it
   * may make up for smaller batches in the averages of the optimizer, or be on its way yet.
   */
  #advice(): string[] {
    const size = this.#settledAt;
    if (size === undefined || size === this.changes[0]?.batchSize) return [];
    const isTooHigh = this.changes.some(({ reason }) => PUT_BACK.has(reason.code));
    const scale = isTooHigh ? undefined : this.beforehand.rateOfSize?.(size);
    const rate =
      scale === undefined
        ? ', and the learning rate that suits this size'
        : ` at ${figure(scale)} times the learning rate`;
    return [`To start there the next time: batchSize ${count(size)}${rate}.`];
  }
}

/** What was spent before the run began was spent on tuning. */
const withTuning = (totals: TimeTotals, seconds: number): TimeTotals => ({
  ...totals,
  seconds: totals.seconds + seconds,
  tuningSeconds: totals.tuningSeconds + seconds,
});

const emptyNumbers = (): BatchNumbers => ({
  batchSize: [],
  learningRateScale: [],
  stepSeconds: [],
  noiseScale: [],
});
