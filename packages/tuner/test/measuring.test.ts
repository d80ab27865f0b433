import { describe, expect, it } from 'vitest';
import { measureEvery, measuringInterval, type MeasuringView } from '../src/measuring.ts';
import { addStepTime, type StepTimes } from '../src/step-time.ts';
import { plan } from './step.ts';

const options = { measuringShare: 0.015, bootMeasurements: 12, bootEverySteps: 2 };

const timed = (pairs: readonly (readonly [number, number])[]): StepTimes =>
  pairs.reduce<StepTimes>(
    (times, [size, seconds]) => addStepTime(times, { batchSize: size, seconds: seconds }),
    [],
  );

/** α = 10 ms, β = 0.1 ms: α/β = 100. */
const T = (batchSize: number) => 0.01 + 1e-4 * batchSize;

const view = (more: Partial<MeasuringView> = {}): MeasuringView => ({
  plan: plan(100),
  plannedExamples: null,
  plainTimes: timed([
    [100, T(100)],
    [400, T(400)],
  ]),
  splitTimes: [],
  measurements: 12,
  ...more,
});

describe('measuringInterval', () => {
  // m = ⌈(K−1) α / (ε (α + βB))⌉: all fixed, 1/0.015 = 66.7; half of it fixed, 33.3.
  it.each([
    [1, 1, 67],
    [1, 2, 34],
    [1, 100, 2],
    [0, 1, 2],
  ])('of %s s more on %s s is %s', (extraSeconds, stepSeconds, interval) => {
    expect(measuringInterval({ extraSeconds, stepSeconds, share: 0.015 })).toBe(interval);
  });
});

describe('measureEvery', () => {
  it('counts one launch and the reading, before measured steps were seen', () => {
    // T(100) = 20 ms, half of it α: (1 + 0.05) · 10 / (0.015 · 20) = 35.
    expect(measureEvery(view(), options)).toBe(35);
  });

  it('counts the reading alone for a batch that is accumulated anyway', () => {
    // 0.05 · 10 / (0.015 · 20) = 1.67
    expect(measureEvery(view({ plan: plan(100, 50) }), options)).toBe(2);
  });

  it('counts what measured steps took, once there are three', () => {
    const two = timed([
      [100, 0.026],
      [100, 0.026],
    ]);
    expect(measureEvery(view({ splitTimes: two }), options)).toBe(35);
    // 6 ms more: 6 / (0.015 · 20) = 20.
    const three = addStepTime(two, { batchSize: 100, seconds: 0.026 });
    expect(measureEvery(view({ splitTimes: three }), options)).toBe(20);
  });

  it('counts no less than the reading, where measured steps seem to cost nothing', () => {
    // 0.05 · 10 / (0.015 · 11) = 3.03
    const small = { batchSize: 10, seconds: T(10) };
    const of10 = view({
      plan: plan(10),
      plainTimes: addStepTime(view().plainTimes, small),
      splitTimes: [small, small, small].reduce<StepTimes>(addStepTime, []),
    });
    expect(measureEvery(of10, options)).toBe(4);
  });

  it('takes a size that was not timed for one that is all α', () => {
    expect(measureEvery(view({ plan: plan(200) }), options)).toBe(67);
    expect(measureEvery(view({ plainTimes: [] }), options)).toBe(67);
  });

  it('measures after 2, 4, 8 and so many more steps at the start, no more rarely than later', () => {
    const intervals = [0, 1, 2, 3, 4, 5, 11, 12].map((measurements) =>
      measureEvery(view({ measurements }), options),
    );
    expect(intervals).toEqual([2, 4, 8, 16, 32, 35, 35, 35]);
  });

  it('measures as often at the start as a short run could afford in all', () => {
    // 14,000 examples are 140 steps of 100, 4 times 35.
    expect(measureEvery(view({ plannedExamples: 14_000, measurements: 3 }), options)).toBe(16);
    expect(measureEvery(view({ plannedExamples: 14_000, measurements: 4 }), options)).toBe(35);
    expect(measureEvery(view({ plannedExamples: 3_400, measurements: 0 }), options)).toBe(35);
  });
});
