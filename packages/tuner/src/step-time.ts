import type { AppliedStep, BatchPlan } from '@batchwise/core';

/** Steps of one batch size that stand for its usual time: enough to outlive pauses, and recent. */
const WINDOW = 20;

/** What one batch size was seen to take. */
export type RungTimes = {
  readonly batchSize: number;
  /** Micro-batches that the batch runs in. */
  readonly parts: number;
  /** Seconds of the first step of this size, which also paid for compilation and buffers; null where unknown. */
  readonly firstSeconds: number | null;
  /** Seconds of the latest ordinary steps, oldest first, at most 20. */
  readonly seconds: readonly number[];
};

/** Step times by batch size, ascending. Survives JSON. */
export type StepTimes = readonly RungTimes[];

/** Step time T(B) = fixedSeconds + secondsPerExample · B (α and β), neither below 0; in K micro-batches K α + βB. */
export interface StepTimeFit {
  readonly fixedSeconds: number;
  readonly secondsPerExample: number;
}

/** True for a step that took what its batch size usually takes: warm, complete, not split to be measured, and timed. */
export const isOrdinary = (step: AppliedStep): boolean =>
  isTimed(step) && step.warm && step.gradient === undefined;

/** True where the seconds of the step belong to the batch size of its plan. */
export const isTimed = ({ seconds = NaN, examples, plan }: AppliedStep): boolean =>
  Number.isFinite(seconds) && seconds > 0 && examples === plan.batchSize;

/** The times with one step more, where it says what its size takes: an ordinary step, or the first of its size. */
export function observeStep(times: StepTimes, step: AppliedStep): StepTimes {
  const { seconds, plan } = step;
  const { batchSize } = plan;
  if (seconds === undefined || !isTimed(step)) return times;
  if (isOrdinary(step)) return addStepTime(times, { batchSize, seconds, parts: partsOf(plan) });
  const isFirst = !step.warm && step.gradient === undefined && !rungOf(times, batchSize);
  return isFirst
    ? withRung(times, { batchSize, parts: partsOf(plan), firstSeconds: seconds, seconds: [] })
    : times;
}

/** Micro-batches that a plan runs its batch in. */
export const partsOf = ({ batchSize, microBatchSize }: BatchPlan): number =>
  Math.ceil(batchSize / microBatchSize);

/** One timed step. */
export interface StepTime {
  readonly batchSize: number;
  readonly seconds: number;
  /** Micro-batches that the batch ran in. Default 1. */
  readonly parts?: number | undefined;
}

/** The times with one step more. The oldest beyond 20 of a size is forgotten, all of them where `parts` is new. */
export const addStepTime = (times: StepTimes, { batchSize, seconds, parts = 1 }: StepTime): StepTimes =>
  addSeconds(times, { batchSize, parts }, [seconds]);

/** The times with ordinary steps of one plan more, in their order; those without a time say nothing. */
export function observeSteps(times: StepTimes, plan: BatchPlan, steps: readonly AppliedStep[]): StepTimes {
  const seconds: number[] = [];
  for (const step of steps) if (isTimed(step)) seconds.push(step.seconds ?? NaN);
  return seconds.length > 0
    ? addSeconds(times, { batchSize: plan.batchSize, parts: partsOf(plan) }, seconds)
    : times;
}

function addSeconds(
  times: StepTimes,
  { batchSize, parts }: Pick<RungTimes, 'batchSize' | 'parts'>,
  seconds: readonly number[],
): StepTimes {
  const before = rungOf(times, batchSize);
  const earlier = before?.parts === parts ? before.seconds : [];
  const firstSeconds = before?.firstSeconds ?? null;
  return withRung(times, {
    batchSize,
    parts,
    firstSeconds,
    seconds: [...earlier, ...seconds].slice(-WINDOW),
  });
}

/** Only what `batchSize` takes is kept, and what the first step of each other size took. */
export const forgetOthers = (times: StepTimes, batchSize: number): StepTimes =>
  times.map((rung) => (rung.batchSize === batchSize ? rung : { ...rung, seconds: [] }));

/** The same of one size, which is then timed anew. */
export const forgetTimes = (times: StepTimes, batchSize: number): StepTimes =>
  times.map((rung) => (rung.batchSize === batchSize ? { ...rung, seconds: [] } : rung));

/** The times with those of earlier steps of a size, as far as they ran in as many micro-batches; at most 20 in all. */
export const withEarlier = (times: StepTimes, { batchSize, parts, seconds }: RungTimes): StepTimes =>
  times.map((rung) => {
    if (rung.batchSize !== batchSize || (rung.parts !== parts && rung.seconds.length > 0)) return rung;
    return { ...rung, parts, seconds: [...seconds, ...rung.seconds].slice(-WINDOW) };
  });

const secondsOf = (times: StepTimes, batchSize: number): readonly number[] =>
  rungOf(times, batchSize)?.seconds ?? [];

/** True where a step of this size ran. */
export const hasRun = (times: StepTimes, batchSize: number): boolean =>
  rungOf(times, batchSize) !== undefined;

/** What a step of this size usually takes, in seconds (`usualOf` the latest); undefined where none was timed. */
export const usualSeconds = (times: StepTimes, batchSize: number): number | undefined =>
  usualOf(secondsOf(times, batchSize));

/** Median seconds of the latest steps of this size, undefined where there was none. */
export const medianSeconds = (times: StepTimes, batchSize: number): number | undefined =>
  median(secondsOf(times, batchSize));

/** The quartiles, in seconds; undefined where no step of this size was timed. */
export function quartiles(
  times: StepTimes,
  batchSize: number,
): { readonly lower: number; readonly upper: number } | undefined {
  const sorted = ascending(secondsOf(times, batchSize));
  const at = quarterOf(sorted.length);
  const [lower, upper] = [sorted[at], sorted[sorted.length - 1 - at]];
  return lower === undefined || upper === undefined ? undefined : { lower, upper };
}

/**
 * Relative standard error of what a size usually takes, as for normal noise of σ = (median − lower quartile)/0.674: 1.25 σ/√n of a
 * median, √(¼ · ¾)/0.318 = 1.36 σ/√n of a lower quartile. What lies above the median tells nothing: pauses make single steps several
 * times as slow. 0 where no step of this size was timed.
 */
export function usualError(times: StepTimes, batchSize: number): number {
  const seconds = secondsOf(times, batchSize);
  const [lower, middle, usual] = [lowerQuartile(seconds), median(seconds), usualOf(seconds)];
  if (lower === undefined || middle === undefined || usual === undefined) return 0;
  const factor = isFew(seconds) ? 2.02 : 1.86;
  return (factor * (middle - lower)) / usual / Math.sqrt(seconds.length);
}

/** The times with those of earlier steps of a size in the place of its latest, where both ran in as many micro-batches. */
export const withEarlierOnly = (times: StepTimes, { batchSize, parts, seconds }: RungTimes): StepTimes =>
  times.map((rung) => (rung.batchSize === batchSize && rung.parts === parts ? { ...rung, seconds } : rung));

/** How many of the latest steps of this size are known, at most 20. */
export const timedSteps = (times: StepTimes, batchSize: number): number =>
  rungOf(times, batchSize)?.seconds.length ?? 0;

/**
 * α and β from what the sizes usually take, by least squares on relative residuals: min Σ ((α + βb − t)/t)² with α, β ≥ 0, each size
 * counting once, with b = B/K examples and t = T/K seconds per micro-batch. Relative, since the noise of a step time
 * grows with it and the small sizes say what α is. From one size alone, half of its time is taken to be fixed, as
 * AdaptDL does (adaptdl/goodput.py, `fit_perf_params`), so that larger sizes look worth trying. Undefined where
 * nothing was timed.
 */
export function fitStepTime(times: StepTimes): StepTimeFit | undefined {
  const launches = timedRungs(times).map(({ batchSize, seconds, parts }): Launch => ({
    examples: batchSize / parts,
    seconds: seconds / parts,
  }));
  const [first] = launches;
  if (first === undefined) return undefined;
  const weighted = (value: (launch: Launch) => number): number =>
    launches.reduce((sum, launch) => sum + value(launch) / launch.seconds ** 2, 0);
  const weight = weighted(() => 1);
  const meanSize = weighted(({ examples }) => examples) / weight;
  const meanSeconds = weighted(({ seconds }) => seconds) / weight;
  if (launches.every(({ examples }) => examples === first.examples))
    return { fixedSeconds: meanSeconds / 2, secondsPerExample: meanSeconds / 2 / meanSize };
  const slope =
    weighted(({ examples, seconds }) => (examples - meanSize) * (seconds - meanSeconds)) /
    weighted(({ examples }) => (examples - meanSize) ** 2);
  const intercept = meanSeconds - slope * meanSize;
  if (slope < 0) return { fixedSeconds: meanSeconds, secondsPerExample: 0 };
  if (intercept < 0) {
    const throughOrigin =
      weighted(({ examples, seconds }) => examples * seconds) / weighted(({ examples }) => examples ** 2);
    return { fixedSeconds: 0, secondsPerExample: throughOrigin };
  }
  return { fixedSeconds: intercept, secondsPerExample: slope };
}

/**
 * Seconds of a step of `batchSize` examples: the usual ones where that size ran, else K α + βB held between its neighbours
 * that ran, as T must not fall and T/B must not rise with B. Undefined where nothing was timed.
 */
export function stepSeconds(times: StepTimes, batchSize: number): number | undefined {
  const seen = usualSeconds(times, batchSize);
  if (seen !== undefined) return seen;
  const fit = fitStepTime(times);
  if (!fit) return undefined;
  const rungs = timedRungs(times);
  const below = rungs.findLast((rung) => rung.batchSize < batchSize);
  const above = rungs.find((rung) => rung.batchSize > batchSize);
  const scaled = ({ seconds, batchSize: size }: TimedRung): number => (seconds * batchSize) / size;
  const least = Math.max(below?.seconds ?? 0, above ? scaled(above) : 0);
  const most = Math.min(below ? scaled(below) : Infinity, above?.seconds ?? Infinity);
  const expected = expectedParts(rungs, batchSize) * fit.fixedSeconds + fit.secondsPerExample * batchSize;
  return Math.max(least, Math.min(most, expected));
}

/** One, unless larger micro-batches than those of the sizes that ran in several do not seem to fit. */
const expectedParts = (rungs: readonly TimedRung[], batchSize: number): number =>
  Math.max(1, Math.ceil(batchSize / largestPart(rungs)));

/** Examples of the largest micro-batch among the sizes that ran in several, infinite where none did. */
export function largestPart(rungs: readonly TimedRung[]): number {
  const split = rungs.filter(({ parts }) => parts > 1);
  return split.length > 0 ? Math.max(...split.map((rung) => rung.batchSize / rung.parts)) : Infinity;
}

/**
 * What the first step of a new size costs on top of an ordinary one, in seconds: the lower median over the sizes seen,
 * as the first size of a run also pays for the start of the program. 0 where nothing is known.
 */
export function firstUseSeconds(times: StepTimes): number {
  const excess = times.flatMap(({ batchSize, firstSeconds }) => {
    const usual = usualSeconds(times, batchSize);
    return firstSeconds === null || usual === undefined ? [] : [Math.max(0, firstSeconds - usual)];
  });
  return ascending(excess)[(excess.length - 1) >> 1] ?? 0;
}

/** One micro-batch. */
interface Launch {
  readonly examples: number;
  readonly seconds: number;
}

/** A size and what its steps usually take, in seconds. */
export interface TimedRung {
  readonly batchSize: number;
  readonly parts: number;
  readonly seconds: number;
}

/** The sizes that were timed, ascending. */
export const timedRungs = (times: StepTimes): readonly TimedRung[] =>
  times.flatMap(({ batchSize, parts, seconds }) => {
    const usual = usualOf(seconds);
    return usual === undefined ? [] : [{ batchSize, parts, seconds: usual }];
  });

const rungOf = (times: StepTimes, batchSize: number): RungTimes | undefined =>
  times.find((rung) => rung.batchSize === batchSize);

const withRung = (times: StepTimes, rung: RungTimes): StepTimes =>
  rungOf(times, rung.batchSize)
    ? times.map((other) => (other.batchSize === rung.batchSize ? rung : other))
    : [...times, rung].sort((a, b) => a.batchSize - b.batchSize);

/** One decision asks for the quartiles of a size many times. */
const sortedOf = new WeakMap<readonly number[], Float64Array>();

/** Typed arrays sort by value without calling back, several times as fast. */
function ascending(values: readonly number[]): Float64Array {
  const known = sortedOf.get(values);
  if (known) return known;
  const sorted = new Float64Array(values).sort();
  sortedOf.set(values, sorted);
  return sorted;
}

/** Steps of which the median stands for what all further ones take. */
const MANY = 10;
const isFew = (seconds: readonly number[]): boolean => seconds.length < MANY;

/**
 * The median of ten steps or more. What makes steps slower comes on top, above all at the start of a program and after a change of the
 * size: code that is compiled meanwhile, pauses. It is half of a few steps easily, so that of fewer their lower quartile counts.
 * Undefined of none.
 */
export const usualOf = (seconds: readonly number[]): number | undefined =>
  isFew(seconds) ? lowerQuartile(seconds) : median(seconds);

/** The index of the lower quartile among `count` sorted numbers: of three the first, of six the second, of twenty the fifth. */
const quarterOf = (count: number): number => Math.floor((count - 1) / 4);

const lowerQuartile = (values: readonly number[]): number | undefined =>
  ascending(values)[quarterOf(values.length)];

/** Undefined of none. */
function median(values: readonly number[]): number | undefined {
  const sorted = ascending(values);
  const half = sorted.length >> 1;
  const upper = sorted[half];
  const lower = sorted.length % 2 === 1 ? upper : sorted[half - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
