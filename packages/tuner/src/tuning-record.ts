import type { AppliedStep, Observer } from '@batchwise/core';
import { addSample, noiseScale, type NoiseScaleState } from '@batchwise/noise-scale';
import type { PriorStepTime, TuningPrior } from './prior.ts';
import { observeStep, timedRungs, timedSteps, type StepTimes } from './step-time.ts';

/** What runs of one model, data set, optimizer and engine have found; the next run starts from it. Survives JSON. */
export type TuningRecord = {
  readonly schema: 'batchwise.tuning/1';
  /** Runs that went into it. */
  readonly runs: number;
  readonly stepTimes: readonly PriorStepTime[];
  /** Gradient noise scale in examples: its geometric mean over the measured examples; null where not measured. */
  readonly noiseScale: number | null;
  /** The batch size on which the latest run spent most examples. */
  readonly batchSize: number;
  /** Most examples that the latest run had on the device at once. */
  readonly largestMicroBatchSize: number;
  /** Fewest that did not fit in the latest run; null where all did. */
  readonly failedMicroBatchSize: number | null;
};

/** Steps of one size from which on their time is worth keeping. */
const ENOUGH = 3;
/** A measured sample counts for 1/e after this many batches or noise scales. */
const HORIZON = 8;

/** Writes the record of a run, whatever its controller. */
export interface TuningRecorder {
  readonly observer: Observer;
  /** What was found so far, undefined before any size was timed. */
  record(): TuningRecord | undefined;
}

/** An observer that collects what later runs can use. */
export function tuningRecorder(): TuningRecorder {
  let times: StepTimes = [];
  let noise: NoiseScaleState | undefined;
  let [logSum, logWeight] = [0, 0];
  let [largest, failed] = [0, Infinity];
  const examplesBySize = new Map<number, number>();

  function count({ plan, examples, microBatchSize }: AppliedStep): void {
    examplesBySize.set(plan.batchSize, (examplesBySize.get(plan.batchSize) ?? 0) + examples);
    largest = Math.max(largest, microBatchSize);
  }
  function measure({ gradient, examples }: AppliedStep): void {
    if (!gradient) return;
    const before = noiseScale(noise);
    const horizonExamples = HORIZON * Math.max(examples, before.known ? before.noiseScale : 0);
    noise = addSample(noise, gradient, { horizonExamples });
    const seen = noiseScale(noise);
    if (!seen.known || seen.noiseScale <= 0) return;
    logSum += examples * Math.log(seen.noiseScale);
    logWeight += examples;
  }

  return {
    observer: {
      name: 'tuning record',
      onStepFinished({ outcome }) {
        times = observeStep(times, outcome);
        count(outcome);
        measure(outcome);
      },
      onStepFailed({ outcome: { kind, microBatchSize } }) {
        if (kind === 'outOfMemory') failed = Math.min(failed, microBatchSize);
      },
    },
    record() {
      const stepTimes = keptTimes(times);
      const [most] = [...examplesBySize].sort(([, a], [, b]) => b - a);
      if (!most || stepTimes.length === 0) return undefined;
      return {
        schema: 'batchwise.tuning/1',
        runs: 1,
        stepTimes,
        noiseScale: logWeight > 0 ? Math.exp(logSum / logWeight) : null,
        batchSize: most[0],
        largestMicroBatchSize: largest,
        failedMicroBatchSize: Number.isFinite(failed) ? failed : null,
      };
    },
  };
}

const keptTimes = (times: StepTimes): readonly PriorStepTime[] =>
  timedRungs(times)
    .filter(({ batchSize }) => timedSteps(times, batchSize) >= ENOUGH)
    .map(({ batchSize, parts, seconds }) => ({
      batchSize,
      parts,
      seconds,
      firstSeconds: times.find((rung) => rung.batchSize === batchSize)?.firstSeconds ?? null,
    }));

/**
 * The record with one run more: times of the sizes that it ran are its own, those of others are scaled as those of the sizes
 * that both ran, since the machine may be slower or busier than it was, noise scales are averaged with half the weight
 * on the newest, and memory is as the newest found it, so that what failed once is tried again in the run after next.
 */
export function mergedRecord(before: TuningRecord | undefined, latest: TuningRecord): TuningRecord {
  if (!before) return latest;
  const ran = new Set(latest.stepTimes.map(({ batchSize }) => batchSize));
  const factor = slowdown(before.stepTimes, latest.stepTimes);
  const others = before.stepTimes
    .filter(({ batchSize }) => !ran.has(batchSize))
    .map((time) => ({ ...time, seconds: factor * time.seconds }));
  const [older, newer] = [before.noiseScale, latest.noiseScale];
  return {
    ...latest,
    runs: before.runs + latest.runs,
    stepTimes: [...others, ...latest.stepTimes].sort((a, b) => a.batchSize - b.batchSize),
    noiseScale: older !== null && newer !== null ? Math.sqrt(older * newer) : (newer ?? older),
  };
}

/** How many times as long steps take as before, the geometric mean over the sizes in as many parts that both timed; 1 where none was. */
function slowdown(before: readonly PriorStepTime[], latest: readonly PriorStepTime[]): number {
  const logs = latest.flatMap(({ batchSize, parts, seconds }) => {
    const then = before.find((time) => time.batchSize === batchSize && time.parts === parts);
    return then ? [Math.log(seconds / then.seconds)] : [];
  });
  return logs.length === 0 ? 1 : Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

/** What the next run may take for known. */
export const priorOf = ({ stepTimes, noiseScale: known }: TuningRecord): TuningPrior => ({
  stepTimes,
  ...(known !== null && { noiseScale: known }),
});

/** The examples that are known to fit at once, where more did not; undefined where there was no failure. */
export const ceilingOf = ({
  largestMicroBatchSize,
  failedMicroBatchSize,
}: TuningRecord): number | undefined =>
  failedMicroBatchSize === null || largestMicroBatchSize >= failedMicroBatchSize
    ? undefined
    : largestMicroBatchSize;

/**
 * A record read from elsewhere, undefined where it is none: a file may be of another version, cut off or written by hand.
 */
export function parseTuningRecord(value: unknown): TuningRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const record = value as { readonly [Field in keyof TuningRecord]?: unknown };
  const { schema, runs, stepTimes, noiseScale: phi, batchSize } = record;
  const { largestMicroBatchSize, failedMicroBatchSize } = record;
  const sound =
    schema === 'batchwise.tuning/1' &&
    [runs, batchSize, largestMicroBatchSize].every(isCount) &&
    (failedMicroBatchSize === null || isCount(failedMicroBatchSize)) &&
    (phi === null || isPositive(phi)) &&
    Array.isArray(stepTimes) &&
    stepTimes.every(isStepTime);
  return sound ? (value as TuningRecord) : undefined;
}

const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

const isCount = (value: unknown): value is number => isPositive(value) && Number.isInteger(value);

function isStepTime(value: unknown): value is PriorStepTime {
  if (typeof value !== 'object' || value === null) return false;
  const { batchSize, parts, seconds, firstSeconds } = value as {
    readonly [Field in keyof PriorStepTime]?: unknown;
  };
  return (
    isCount(batchSize) &&
    isCount(parts) &&
    isPositive(seconds) &&
    (firstSeconds === null || isPositive(firstSeconds))
  );
}
