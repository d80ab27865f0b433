import { describe, expect, it } from 'vitest';
import {
  addStepTime,
  firstUseSeconds,
  fitStepTime,
  forgetOthers,
  hasRun,
  medianSeconds,
  observeStep,
  partsOf,
  quartiles,
  stepSeconds,
  timedRungs,
  timedSteps,
  usualError,
  usualSeconds,
  type StepTimes,
} from '../src/step-time.ts';
import { normal, uniform } from './plant.ts';
import { applied, plan, throughJson } from './step.ts';

/** One timed step per size. */
const once = (...pairs: readonly (readonly [batchSize: number, seconds: number])[]): StepTimes =>
  pairs.reduce<StepTimes>(
    (times, [batchSize, seconds]) => addStepTime(times, { batchSize: batchSize, seconds: seconds }),
    [],
  );

const many = (batchSize: number, ...seconds: number[]): StepTimes =>
  seconds.reduce<StepTimes>(
    (times, value) => addStepTime(times, { batchSize: batchSize, seconds: value }),
    [],
  );

describe('the record of step times', () => {
  it('keeps the latest 20 of each size, sizes ascending', () => {
    const all = Array.from({ length: 25 }, (_, i) => i + 1);
    const times = addStepTime(many(64, ...all), { batchSize: 32, seconds: 0.5 });
    expect(times).toEqual([
      { batchSize: 32, parts: 1, firstSeconds: null, seconds: [0.5] },
      { batchSize: 64, parts: 1, firstSeconds: null, seconds: all.slice(5) },
    ]);
    expect(timedSteps(times, 64)).toBe(20);
    expect(timedSteps(times, 16)).toBe(0);
    expect(throughJson(times)).toEqual(times);
  });

  it('changes nothing in place', () => {
    const before = many(32, 1);
    addStepTime(before, { batchSize: 32, seconds: 2 });
    expect(before).toEqual(many(32, 1));
  });

  it.each([
    ['a split step', { seconds: 2, gradient: { sizes: [16, 16], squaredNorms: [1, 1], crossProduct: 0 } }],
    ['a short step', { seconds: 2, examples: 31 }],
    ['a step without seconds', {}],
    ['a step of no time', { seconds: 0 }],
    ['a step of no finite time', { seconds: NaN }],
    ['a cold step of a size that ran before', { seconds: 2, warm: false }],
  ])('leaves %s out', (_name, more) => {
    const times = many(32, 1);
    expect(observeStep(times, applied(plan(32), more))).toBe(times);
  });

  it('takes an ordinary step, and the first of a size apart', () => {
    const first = observeStep([], applied(plan(32), { seconds: 9, warm: false }));
    expect(first).toEqual([{ batchSize: 32, parts: 1, firstSeconds: 9, seconds: [] }]);
    expect(observeStep(first, applied(plan(32), { seconds: 2 }))).toEqual([
      { batchSize: 32, parts: 1, firstSeconds: 9, seconds: [2] },
    ]);
    expect(hasRun(first, 32)).toBe(true);
    expect(hasRun(first, 64)).toBe(false);
    expect(usualSeconds(first, 32)).toBeUndefined();
  });

  it('begins anew where the batch runs in other parts', () => {
    const whole = observeStep(many(64, 2, 2), applied(plan(64), { seconds: 2.2 }));
    const halves = observeStep(whole, applied(plan(64, 32), { seconds: 3 }));
    expect(halves).toEqual([{ batchSize: 64, parts: 2, firstSeconds: null, seconds: [3] }]);
    expect(partsOf(plan(100, 30))).toBe(4);
  });

  it('forgets the times of other sizes, not that they ran', () => {
    const times: StepTimes = [
      { batchSize: 32, parts: 1, firstSeconds: 9, seconds: [1, 2] },
      { batchSize: 64, parts: 1, firstSeconds: 8, seconds: [3] },
    ];
    expect(forgetOthers(times, 64)).toEqual([{ ...times[0], seconds: [] }, times[1]]);
  });
});

describe('what a size usually takes', () => {
  it('is the lower quartile of few steps: of three the fastest, of five and nine the second and third', () => {
    expect(usualSeconds(many(32, 70, 1.1, 50), 32)).toBe(1.1);
    expect(usualSeconds(many(32, 1, 3, 2, 4), 32)).toBe(1);
    expect(usualSeconds(many(32, 1, 1.1, 50, 0.9, 1.2), 32)).toBe(1);
    expect(usualSeconds(many(32, 9, 8, 7, 6, 5, 4, 3, 2, 1), 32)).toBe(3);
  });

  it('is the median of ten or more', () => {
    expect(usualSeconds(many(32, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1), 32)).toBe(5.5);
    expect(medianSeconds(many(32, 1, 3, 2, 4), 32)).toBe(2.5);
  });

  it('has a standard error, and stands between quartiles', () => {
    const times = many(32, 5, 1, 4, 2, 3);
    expect(quartiles(times, 32)).toEqual({ lower: 2, upper: 4 });
    expect(usualError(times, 32)).toBeCloseTo(2.02 / 2 / Math.sqrt(5), 12);
    expect(quartiles(times, 64)).toBeUndefined();
    expect(usualError(times, 64)).toBe(0);
  });

  it.each([6, 9, 20])('has about the error that normal noise gives %s steps', (count) => {
    const draw = normal(uniform(7));
    const [found, said]: [number[], number[]] = [[], []];
    for (let i = 0; i < 4000; i += 1) {
      const times = many(32, ...Array.from({ length: count }, () => 10 + draw()));
      found.push(usualSeconds(times, 32) ?? NaN);
      said.push((usualSeconds(times, 32) ?? NaN) * usualError(times, 32));
    }
    const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
    const spread = Math.sqrt(mean(found.map((x) => (x - mean(found)) ** 2)));
    expect(mean(said) / spread).toBeGreaterThan(0.75);
    expect(mean(said) / spread).toBeLessThan(1.25);
  });

  it('is trusted whatever single steps take above the median', () => {
    for (const slow of [3.4, 30]) {
      const times = many(32, 3, slow, 3.3);
      expect(usualError(times, 32)).toBeCloseTo((2.02 * 0.3) / 3 / Math.sqrt(3), 12);
    }
    expect(usualError(many(32, 5), 32)).toBe(0);
  });

  it('are listed for the sizes that were timed', () => {
    const times = forgetOthers(once([32, 1], [64, 2], [128, 3]), 64);
    expect(timedRungs(times)).toEqual([{ batchSize: 64, parts: 1, seconds: 2 }]);
  });
});

describe('fitStepTime', () => {
  it.each([
    [2e-3, 1e-5, [8, 32, 128, 2048]],
    [1e-6, 3e-3, [32, 64]],
    [7, 0.25, [1, 3, 1000]],
  ])('recovers α = %s and β = %s exactly', (alpha, beta, sizes) => {
    const fit = fitStepTime(once(...sizes.map((size) => [size, alpha + beta * size] as const)));
    expect(Math.abs((fit?.fixedSeconds ?? 0) / alpha - 1)).toBeLessThan(1e-9);
    expect(Math.abs((fit?.secondsPerExample ?? 0) / beta - 1)).toBeLessThan(1e-9);
  });

  it('minimises relative residuals', () => {
    // α + β = 1, α + 2β = 2 and α + 4β = 2 cannot hold at once. With w = 1, 1/4, 1/4: mean B = 5/3, mean T = 4/3,
    // β = (2/9 + 1/18 + 7/18) / (4/9 + 1/36 + 49/36) = 4/11, α = 4/3 − 5/3 · 4/11 = 8/11.
    const fit = fitStepTime(once([1, 1], [2, 2], [4, 2]));
    expect(fit?.secondsPerExample).toBeCloseTo(4 / 11, 12);
    expect(fit?.fixedSeconds).toBeCloseTo(8 / 11, 12);
  });

  it('counts each size once, by what it usually takes', () => {
    const times = [1.2, 1.2, 100, 1.2, 1.2].reduce<StepTimes>(
      (all, seconds) => addStepTime(all, { batchSize: 20, seconds: seconds }),
      once([10, 1.1], [40, 1.4]),
    );
    expect(fitStepTime(times)?.fixedSeconds).toBeCloseTo(1, 12);
    expect(fitStepTime(times)?.secondsPerExample).toBeCloseTo(0.01, 12);
  });

  it('takes half of the time of a single size to be fixed', () => {
    expect(fitStepTime(once([32, 0.01]))).toEqual({ fixedSeconds: 0.005, secondsPerExample: 0.005 / 32 });
    expect(fitStepTime([])).toBeUndefined();
  });

  it('takes what accumulated batches take by the micro-batch', () => {
    // α = 256, β = 1: 32 at once, 128 and 512 in micro-batches of 64.
    const times = [
      { batchSize: 32, seconds: 288 },
      { batchSize: 128, seconds: 640, parts: 2 },
      { batchSize: 512, seconds: 2560, parts: 8 },
    ].reduce<StepTimes>(addStepTime, []);
    expect(fitStepTime(times)?.fixedSeconds).toBeCloseTo(256, 9);
    expect(fitStepTime(times)?.secondsPerExample).toBeCloseTo(1, 9);
    expect(stepSeconds(times, 64)).toBeCloseTo(320, 9);
    expect(stepSeconds(times, 256)).toBeCloseTo(4 * 256 + 256, 9);
  });

  it('learns nothing of α from micro-batches of one size', () => {
    const times = [
      { batchSize: 128, seconds: 8, parts: 2 },
      { batchSize: 256, seconds: 16, parts: 4 },
    ].reduce<StepTimes>(addStepTime, []);
    expect(fitStepTime(times)).toEqual({ fixedSeconds: 2, secondsPerExample: 2 / 64 });
  });

  it('has no α below 0: β alone, least squares through the origin', () => {
    // w = 1, 1/9: β = (1·1 + 2·3/9) / (1 + 4/9) = (5/3) / (13/9) = 15/13.
    const fit = fitStepTime(once([1, 1], [2, 3]));
    expect(fit?.fixedSeconds).toBe(0);
    expect(fit?.secondsPerExample).toBeCloseTo(15 / 13, 12);
  });

  it('has no β below 0: the weighted mean alone', () => {
    // w = 1/4, 1: α = (2/4 + 1) / (5/4) = 6/5.
    const fit = fitStepTime(once([1, 2], [2, 1]));
    expect(fit?.fixedSeconds).toBeCloseTo(1.2, 12);
    expect(fit?.secondsPerExample).toBe(0);
  });
});

describe('stepSeconds', () => {
  it('is what was seen where the size ran, whatever the fit says', () => {
    expect(stepSeconds(once([1, 1], [2, 2], [4, 2]), 2)).toBe(2);
  });

  it('is α + βB elsewhere', () => {
    const times = once([10, 1.1], [40, 1.4]);
    expect(stepSeconds(times, 20)).toBeCloseTo(1.2, 12);
    expect(stepSeconds(times, 100)).toBeCloseTo(2, 12);
    expect(stepSeconds(times, 5)).toBeCloseTo(1.05, 12);
  });

  it('neither falls with the batch nor falls behind in seconds per example', () => {
    // The fit (α = 8/11, β = 4/11) gives 20/11 at 3: below what 2 takes.
    expect(stepSeconds(once([1, 1], [2, 2], [4, 2]), 3)).toBe(2);
    // Far up it is superlinear in what was seen (T/B grows), so the seconds per example of the last size hold.
    const superlinear = once([1, 1], [2, 3]);
    expect(stepSeconds(superlinear, 8)).toBeCloseTo((8 * 15) / 13, 12);
    expect(stepSeconds(once([1, 1], [2, 3], [4, 4]), 8)).toBeLessThanOrEqual(8);
    // Below a size, at least its share: T(1) ≥ T(2)/2; and no more than it.
    expect(stepSeconds(once([2, 2], [4, 2]), 1)).toBe(2);
  });

  it('is unknown before a step was timed', () => {
    expect(stepSeconds([], 32)).toBeUndefined();
  });
});

describe('firstUseSeconds', () => {
  const rung = (batchSize: number, firstSeconds: number | null, ...seconds: number[]) => ({
    batchSize,
    parts: 1,
    firstSeconds,
    seconds,
  });

  it('is the lower median of what first steps took in addition', () => {
    const start = rung(32, 90, 1);
    expect(firstUseSeconds([start])).toBe(89);
    expect(firstUseSeconds([start, rung(128, 7, 2)])).toBe(5);
    expect(firstUseSeconds([start, rung(128, 7, 2), rung(512, 10, 4)])).toBe(6);
  });

  it('is 0 where nothing is known, and never below', () => {
    expect(firstUseSeconds([])).toBe(0);
    expect(firstUseSeconds([rung(32, null, 1), rung(64, 5)])).toBe(0);
    expect(firstUseSeconds([rung(32, 1, 2)])).toBe(0);
  });
});
