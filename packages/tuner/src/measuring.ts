import type { BatchPlan } from '@batchwise/core';
import { fitStepTime, medianSeconds, partsOf, timedSteps, type StepTimes } from './step-time.ts';

/** Inner products of gradients and their reading, as a share of α, until measured steps were seen. */
const READING_SHARE = 0.05;
/** Measured steps of one size from which on their median says what measuring costs. */
const ENOUGH = 3;

/** How often steps are measured, and what that may cost. */
export interface MeasuringOptions {
  /** ε_m: share of the time that measuring may add in the long run. Default 0.005. */
  readonly measuringShare: number;
  /** Steps measured soon after the start, to have an estimate early. Default 6. */
  readonly bootMeasurements: number;
  /** Steps to the first of these; twice as many to each further one. Default 2. */
  readonly bootEverySteps: number;
}

/** What is known when the coming step is planned. */
export interface MeasuringView {
  readonly plan: BatchPlan;
  readonly plannedExamples: number | null;
  /** Ordinary steps. */
  readonly plainTimes: StepTimes;
  /** Steps that were split to be measured. */
  readonly splitTimes: StepTimes;
  /** Measured steps asked for so far. */
  readonly measurements: number;
}

/**
 * The fewest steps from one measured step to the next that keep measuring within its share of the time,
 * m = ⌈extra/(ε_m T)⌉, and at least 2, so that ordinary steps are still timed. Measured as K micro-batches where one
 * would have done, a step takes extra = (K−1) α longer than its T = α + βB.
 */
export const measuringInterval = (cost: {
  readonly extraSeconds: number;
  readonly stepSeconds: number;
  readonly share: number;
}): number => Math.max(2, Math.ceil(cost.extraSeconds / (cost.share * cost.stepSeconds)));

/**
 * Steps from one measured step to the next, as things are: few at the start, then as the share allows. A short run
 * measures less at the start, as often in all as it could afford.
 */
export function measureEvery(view: MeasuringView, options: MeasuringOptions): number {
  const interval = intervalNow(view, options.measuringShare);
  const affordable = Math.floor((view.plannedExamples ?? Infinity) / (view.plan.batchSize * interval));
  const booting = view.measurements < Math.min(options.bootMeasurements, affordable);
  return booting ? Math.min(options.bootEverySteps * 2 ** view.measurements, interval) : interval;
}

/**
 * What a measured step adds is taken from those seen at this size; before that it is one launch (none where the batch
 * runs in several micro-batches anyway) and the reading.
 */
function intervalNow({ plan, plainTimes, splitTimes }: MeasuringView, share: number): number {
  const { batchSize } = plan;
  const plain = medianSeconds(plainTimes, batchSize);
  const fit = fitStepTime(plainTimes);
  // A size not timed yet: as for a step that is all α.
  if (plain === undefined || !fit) return Math.ceil(1 / share);
  const reading = READING_SHARE * fit.fixedSeconds;
  const launches = partsOf(plan) > 1 ? 0 : 1;
  const seen = timedSteps(splitTimes, batchSize) < ENOUGH ? undefined : medianSeconds(splitTimes, batchSize);
  const extraSeconds =
    seen === undefined ? launches * fit.fixedSeconds + reading : Math.max(reading, seen - plain);
  return measuringInterval({ extraSeconds, stepSeconds: plain, share });
}
