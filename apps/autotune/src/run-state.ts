import { addSample, noiseScale, type NoiseScaleState } from '@batchwise/noise-scale';
import type { BatchPlan, Evaluation, MemoryReading, Observer } from '@batchwise/core';
import { accuracyOf } from './run-record.ts';
import { count, figure, percent } from './format.ts';

/** Weight of the newest step in the smoothed loss and speed. */
const SMOOTHING = 0.05;
/** The noise scale on display forgets what is older than this many measured examples. */
const HORIZON_EXAMPLES = 8192;

/** The state of a run in the words of its view, kept up to date by its events. */
export class RunState {
  examples = 0;
  epoch = 0;
  plan: BatchPlan | undefined;
  validation: Evaluation | undefined;
  readonly #memory: () => MemoryReading;
  #loss: number | undefined;
  #examplesPerSecond: number | undefined;
  #noise: NoiseScaleState | undefined;
  #peakBytes = 0;

  constructor(memory: () => MemoryReading) {
    this.#memory = memory;
  }

  readonly observer: Observer = {
    name: 'run state',
    onRunStarted: ({ plan }) => void (this.plan = plan),
    onPlanChanged: ({ to }) => void (this.plan = to),
    onValidated: ({ result }) => void (this.validation = result),
    onStepFinished: ({ examples, epoch, outcome }) => {
      this.examples = examples;
      this.epoch = epoch;
      this.#loss = smoothed(this.#loss, outcome.loss);
      if (outcome.seconds)
        this.#examplesPerSecond = smoothed(this.#examplesPerSecond, outcome.examples / outcome.seconds);
      if (outcome.gradient)
        this.#noise = addSample(this.#noise, outcome.gradient, { horizonExamples: HORIZON_EXAMPLES });
    },
  };

  /** NaN while it is not known. */
  secondsLeft(plannedExamples: number): number {
    return (plannedExamples - this.examples) / (this.#examplesPerSecond ?? NaN);
  }

  get progressText(): string {
    const loss = this.#loss === undefined ? 'loss –' : `loss ${figure(this.#loss)}`;
    if (!this.validation) return loss;
    const accuracy = accuracyOf(this.validation);
    const shown = accuracy === undefined ? '' : `accuracy ${percent(accuracy)}, `;
    return `${loss}   validation ${shown}loss ${figure(this.validation.loss)}`;
  }

  get batchText(): string {
    if (!this.plan) return '';
    const { batchSize, microBatchSize } = this.plan;
    const parts = microBatchSize < batchSize ? ` in parts of ${count(microBatchSize)}` : '';
    return `batch ${count(batchSize)}${parts}`;
  }

  get noiseText(): string {
    const estimate = noiseScale(this.#noise);
    if (estimate.known)
      return `noise scale ${count(estimate.noiseScale)} (${count(estimate.lower)} to ${count(estimate.upper)})`;
    if (estimate.samples === 0) return 'noise scale not measured';
    return estimate.atLeast ? `noise scale above ${count(estimate.atLeast)}` : 'noise scale not yet known';
  }

  get speedText(): string {
    return this.#examplesPerSecond === undefined ? '' : `${count(this.#examplesPerSecond)} examples/s`;
  }

  /** Of the run so far; the backend forgets its own peak when the run ends. */
  get peakBytes(): number {
    this.#peakBytes = Math.max(this.#peakBytes, this.#memory().peakBytes);
    return this.#peakBytes;
  }
}

function smoothed(average: number | undefined, value: number | undefined): number | undefined {
  if (value === undefined || !Number.isFinite(value)) return average;
  return average === undefined ? value : average + SMOOTHING * (value - average);
}
