import type { AppliedStep, BatchPlan, GradientMoments } from '@batchwise/core';
import { addSample, type NoiseScaleState } from '@batchwise/noise-scale';
import { checkAbove, checkCount, checkShare } from './check.ts';
import { measureEvery, type MeasuringOptions } from './measuring.ts';
import { believedNoiseScale, type NoiseBelief } from './noise-belief.ts';
import { addStepTime, isTimed, partsOf, type StepTimes } from './step-time.ts';

/** Largest noise scale believed for a stream, examples; with a dataset it is the size of the dataset. */
const STREAM_NOISE_SCALE = 1e6;

/** How the gradient noise scale is measured, and what is believed of it. */
export interface NoiseOptions extends MeasuringOptions {
  /** φ0: noise scale believed before it is measured, examples. Default 600. */
  readonly priorNoiseScale: number;
  /** Smallest noise scale believed, examples. Default 4; the largest is the size of the dataset. */
  readonly minNoiseScale: number;
  /**
   * Measured examples after which a measurement counts for 1/e, in noise scales or in batches, whichever is more.
   * Default 8.
   */
  readonly horizon: number;
}

/** What was measured of the noise so far, and when it is measured next. Survives JSON. */
export type NoiseWatch = {
  readonly noise: NoiseScaleState | null;
  readonly maxNoiseScale: number;
  /** Steps that were split to be measured. */
  readonly splitTimes: StepTimes;
  /** Measured steps asked for, the steps since the latest of them, and how many there should be. */
  readonly measurements: number;
  readonly stepsSinceMeasured: number;
  readonly measureEvery: number;
};

/**
 * The options with their defaults filled in.
 * @throws RangeError where a number is out of its range; the message names it
 */
export function noiseOptions(given: {
  readonly [Name in keyof NoiseOptions]?: number | undefined;
}): NoiseOptions {
  const options: NoiseOptions = {
    priorNoiseScale: given.priorNoiseScale ?? 600,
    minNoiseScale: given.minNoiseScale ?? 4,
    horizon: given.horizon ?? 8,
    measuringShare: given.measuringShare ?? 0.005,
    bootMeasurements: given.bootMeasurements ?? 6,
    bootEverySteps: given.bootEverySteps ?? 2,
  };
  for (const name of ['priorNoiseScale', 'minNoiseScale', 'horizon', 'measuringShare'] as const)
    checkAbove(options[name], name);
  checkShare(options.measuringShare, 'measuringShare');
  checkCount(options.bootMeasurements, 'bootMeasurements', 0);
  checkCount(options.bootEverySteps, 'bootEverySteps');
  return options;
}

/** Before the first step. */
export const startNoiseWatch = (
  datasetSize: number | undefined,
  { bootEverySteps }: NoiseOptions,
): NoiseWatch => ({
  noise: null,
  maxNoiseScale: datasetSize ?? STREAM_NOISE_SCALE,
  splitTimes: [],
  measurements: 0,
  stepsSinceMeasured: 0,
  measureEvery: bootEverySteps,
});

/** What the step taught. */
export function watchNoise(watch: NoiseWatch, step: AppliedStep, options: NoiseOptions): NoiseWatch {
  const { gradient } = step;
  const { maxNoiseScale, measurements, measureEvery: interval } = watch;
  return {
    noise: gradient ? withSample(watch, gradient, options) : watch.noise,
    maxNoiseScale,
    splitTimes: gradient ? withSplitTime(watch.splitTimes, step) : watch.splitTimes,
    measurements,
    stepsSinceMeasured: watch.stepsSinceMeasured + 1,
    measureEvery: interval,
  };
}

/** After so many ordinary steps: what they taught is a matter of time alone. */
export const unmeasuredLater = (watch: NoiseWatch, steps: number): NoiseWatch => ({
  ...watch,
  stepsSinceMeasured: watch.stepsSinceMeasured + steps,
});

function withSplitTime(times: StepTimes, step: AppliedStep): StepTimes {
  const { plan, seconds = 0, warm } = step;
  const isOrdinary = warm && isTimed(step);
  return isOrdinary
    ? addStepTime(times, { batchSize: plan.batchSize, parts: partsOf(plan), seconds })
    : times;
}

function withSample(
  watch: NoiseWatch,
  moments: GradientMoments,
  options: NoiseOptions,
): NoiseScaleState | null {
  const examples = moments.sizes.reduce((sum, size) => sum + size, 0);
  const horizonExamples = options.horizon * Math.max(noiseBelief(watch, options).noiseScale, examples);
  return addSample(watch.noise ?? undefined, moments, { horizonExamples });
}

/** What is believed of the noise scale. */
export function noiseBelief({ noise, maxNoiseScale }: NoiseWatch, options: NoiseOptions): NoiseBelief {
  const compute = () => believedNoiseScale(noise, { ...options, maxNoiseScale });
  if (noise === null) return compute();
  // It is asked for at each step, and changes with a measured one.
  const last = beliefs.get(noise);
  if (last?.options === options && last.maxNoiseScale === maxNoiseScale) return last.belief;
  const belief = compute();
  beliefs.set(noise, { options, maxNoiseScale, belief });
  return belief;
}

/** What the belief in these measurements was when it was last asked for. */
const beliefs = new WeakMap<
  NoiseScaleState,
  { readonly options: NoiseOptions; readonly maxNoiseScale: number; readonly belief: NoiseBelief }
>();

/** What the cadence of measuring depends on. */
export interface CadenceView {
  readonly plan: BatchPlan;
  readonly plannedExamples: number | null;
  /** Ordinary steps. */
  readonly times: StepTimes;
}

/** Settles how often to measure: with each decision and each measured step. */
export function withCadence(
  watch: NoiseWatch,
  { plan, plannedExamples, times }: CadenceView,
  options: NoiseOptions,
): NoiseWatch {
  const { splitTimes, measurements } = watch;
  const view = { plan, plannedExamples, plainTimes: times, splitTimes, measurements };
  return { ...watch, measureEvery: measureEvery(view, options) };
}

/** Whether the coming step, the size staying as it is, is measured; if so, the watch counts it. */
export function measureNext(
  watch: NoiseWatch,
  view: CadenceView,
  options: NoiseOptions,
): { readonly watch: NoiseWatch; readonly measured: boolean } {
  // A single example cannot be split.
  const measured = view.plan.batchSize > 1 && watch.stepsSinceMeasured >= watch.measureEvery;
  if (!measured) return { watch, measured };
  const asked = { ...watch, measurements: watch.measurements + 1, stepsSinceMeasured: 0 };
  return { watch: withCadence(asked, view, options), measured };
}

/** So many further steps will not be followed by a measured one. */
export const unmeasuredSteps = ({
  measureEvery: interval,
  stepsSinceMeasured,
}: Pick<NoiseWatch, 'measureEvery' | 'stepsSinceMeasured'>): number =>
  Math.max(0, interval - 1 - stepsSinceMeasured);
