import type { AppliedStep, FailedStep } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { goodput } from '../src/goodput.ts';
import {
  ceilingOf,
  mergedRecord,
  parseTuningRecord,
  priorOf,
  tuningRecorder,
  type TuningRecord,
} from '../src/tuning-record.ts';
import type { PriorStepTime } from '../src/prior.ts';
import { gaussianMoments, normal, uniform } from './plant.ts';
import { applied, failed, plan, run } from './step.ts';

function recordOf(outcomes: readonly (AppliedStep | FailedStep)[]): TuningRecord | undefined {
  const { observer, record } = tuningRecorder();
  const where = { step: 0, epoch: 0, examples: 0, learningRateScale: 1 };
  const reason = { code: 'steady', text: 'As written.', numbers: {} };
  for (const outcome of outcomes)
    if (outcome.kind === 'applied') void observer.onStepFinished?.({ ...where, outcome, reason });
    else void observer.onStepFailed?.({ ...where, outcome });
  return record();
}

const timed = (batchSize: number, seconds: readonly number[]): AppliedStep[] =>
  seconds.map((value, i) => applied(plan(batchSize), { seconds: value, warm: i > 0 }));

const record: TuningRecord = {
  schema: 'batchwise.tuning/1',
  runs: 2,
  stepTimes: [
    { batchSize: 32, parts: 1, seconds: 2e-3, firstSeconds: 0.1 },
    { batchSize: 128, parts: 1, seconds: 3e-3, firstSeconds: null },
  ],
  noiseScale: 400,
  batchSize: 128,
  largestMicroBatchSize: 128,
  failedMicroBatchSize: null,
};

describe('tuningRecorder', () => {
  it('keeps the times of sizes that ran often enough, the size most used, and what fitted', () => {
    const outcomes = [
      ...timed(32, [0.5, 1, 3, 2]),
      ...timed(64, [0.9, 4, 4]),
      ...timed(128, [0.7, 5, 6, 5]),
      failed('outOfMemory', plan(512)),
      failed('outOfMemory', plan(256)),
      failed('nonFinite', plan(16)),
    ];
    expect(recordOf(outcomes)).toEqual({
      schema: 'batchwise.tuning/1',
      runs: 1,
      // 64 has only two ordinary steps.
      stepTimes: [
        { batchSize: 32, parts: 1, seconds: 1, firstSeconds: 0.5 },
        { batchSize: 128, parts: 1, seconds: 5, firstSeconds: 0.7 },
      ],
      noiseScale: null,
      batchSize: 128,
      largestMicroBatchSize: 128,
      failedMicroBatchSize: 256,
    });
  });

  it('averages the noise scale over the run, in logarithms', () => {
    const draw = normal(uniform(6));
    const at = (phi: number): AppliedStep[] =>
      Array.from({ length: 400 }, () =>
        applied(plan(128), { seconds: 1, gradient: gaussianMoments([64, 64], phi, draw) }),
      );
    const outcomes = [...timed(128, [1, 1, 1, 1]), ...at(20), ...at(320)];
    const { noiseScale } = recordOf(outcomes) ?? {};
    expect(Math.abs((noiseScale ?? NaN) / 80 - 1)).toBeLessThan(0.15);
  });

  it('has nothing to say of a run in which nothing was timed', () => {
    expect(recordOf([])).toBeUndefined();
    expect(recordOf([applied(plan(32))])).toBeUndefined();
  });
});

describe('mergedRecord', () => {
  const latest: TuningRecord = {
    ...record,
    runs: 1,
    stepTimes: [{ batchSize: 128, parts: 2, seconds: 4e-3, firstSeconds: 0.2 }],
    noiseScale: 100,
    batchSize: 64,
    largestMicroBatchSize: 64,
    failedMicroBatchSize: 128,
  };

  it('has the newest times and memory, and the mean of the noise', () => {
    expect(mergedRecord(undefined, latest)).toBe(latest);
    expect(mergedRecord(record, latest)).toEqual({
      ...latest,
      runs: 3,
      stepTimes: [record.stepTimes[0], latest.stepTimes[0]],
      noiseScale: expect.closeTo(200, 9),
    });
    expect(mergedRecord(record, { ...latest, noiseScale: null }).noiseScale).toBe(400);
    expect(mergedRecord({ ...record, noiseScale: null }, latest).noiseScale).toBe(100);
  });

  it('takes times that it did not see anew to have changed as those that it did', () => {
    const time = (batchSize: number, seconds: number, parts = 1) => ({
      batchSize,
      parts,
      seconds,
      firstSeconds: 0.1,
    });
    const merged = (before: readonly PriorStepTime[], now: readonly PriorStepTime[]) =>
      mergedRecord({ ...record, stepTimes: before }, { ...latest, stepTimes: now }).stepTimes.map(
        ({ batchSize, seconds, firstSeconds }) => [batchSize, seconds, firstSeconds],
      );
    const known = [time(32, 1), time(128, 2), time(512, 4)];
    // 128 takes twice as long, 512 eight times: four times as long by the geometric mean.
    expect(merged(known, [time(128, 4), time(512, 32)])).toEqual([
      [32, expect.closeTo(4, 12), 0.1],
      [128, 4, 0.1],
      [512, 32, 0.1],
    ]);
    // In another number of parts it is another step.
    expect(merged(known, [time(128, 4, 2)])[0]).toEqual([32, 1, 0.1]);
  });

  it('says what is known to fit where more did not', () => {
    expect(ceilingOf(record)).toBeUndefined();
    expect(ceilingOf(latest)).toBe(64);
    // It fitted later on: something else had taken the memory.
    expect(ceilingOf({ ...latest, largestMicroBatchSize: 128 })).toBeUndefined();
  });

  it('is what the next run starts from', () => {
    expect(priorOf(record)).toEqual({ stepTimes: record.stepTimes, noiseScale: 400 });
    expect(priorOf({ ...record, noiseScale: null })).toEqual({ stepTimes: record.stepTimes });
    expect(goodput({ prior: priorOf(record) }).start(run()).reason.code).toBe('recorded');
  });
});

describe('parseTuningRecord', () => {
  it('knows one from what is none', () => {
    expect(parseTuningRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
    expect(
      parseTuningRecord({ ...record, stepTimes: [], noiseScale: null, failedMicroBatchSize: 5 }),
    ).toBeDefined();
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'record'],
    ['another schema', { ...record, schema: 'batchwise.tuning/2' }],
    ['half a run', { ...record, runs: 0.5 }],
    ['a batch of 0', { ...record, batchSize: 0 }],
    ['a noise scale of 0', { ...record, noiseScale: 0 }],
    ['no noise scale', { ...record, noiseScale: undefined }],
    ['a failed size that is none', { ...record, failedMicroBatchSize: -1 }],
    ['no times', { ...record, stepTimes: 'none' }],
    ['a time of null', { ...record, stepTimes: [null] }],
    ['a time of nothing', { ...record, stepTimes: [{ ...record.stepTimes[0], seconds: 0 }] }],
    ['half a part', { ...record, stepTimes: [{ ...record.stepTimes[0], parts: 1.5 }] }],
    ['a first time of nothing', { ...record, stepTimes: [{ ...record.stepTimes[0], firstSeconds: 0 }] }],
  ])('%s is no record', (_name, value) => expect(parseTuningRecord(value)).toBeUndefined());
});
