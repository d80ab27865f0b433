import { describe, expect, it } from 'vitest';
import { chooseSize, mayPay, pays, type SizeQuestion } from '../src/choose-size.ts';
import { ladder } from '../src/ladder.ts';
import { addStepTime, type StepTimes } from '../src/step-time.ts';
import { uniform } from './plant.ts';

const timed = (pairs: readonly (readonly [number, number])[]): StepTimes =>
  pairs.reduce<StepTimes>(
    (times, [size, seconds]) => addStepTime(times, { batchSize: size, seconds: seconds }),
    [],
  );

const ask = (more: Partial<SizeQuestion>) =>
  chooseSize({
    held: 32,
    candidates: ladder({ min: 8, max: 4096 }),
    times: timed([
      [32, 1e-3 + 32e-6],
      [512, 1e-3 + 512e-6],
    ]),
    criticalBatchSize: 900,
    examplesExponent: 1,
    examplesSharpness: 1,
    remainingExamples: Infinity,
    ...more,
  });

describe('chooseSize', () => {
  it('finds the rung of highest goodput, as trying all of them does', () => {
    const random = uniform(7);
    const log = (from: number, to: number) => from * (to / from) ** random();
    for (let trial = 0; trial < 200; trial += 1) {
      const [alpha, beta, phi] = [log(1e-5, 1e-1), log(1e-8, 1e-3), log(4, 1e5)];
      const [p, q] = trial % 2 === 0 ? [1, 1] : [0.5, 2];
      const T = (B: number) => alpha + beta * B;
      const rungs = [8, 16, 32, 64, 128, 256, 512, 1024, 2048];
      const goodput = (B: number) => B / (T(B) * (B ** q + phi ** q) ** (p / q));
      const best = rungs.toSorted((a, b) => goodput(b) - goodput(a))[0];
      const times = timed([
        [8, T(8)],
        [512, T(512)],
      ]);
      const law = { criticalBatchSize: phi, examplesExponent: p, examplesSharpness: q };
      const answer = ask({ held: 8, candidates: rungs, times, ...law });
      expect(answer?.chosen.batchSize).toBe(best);
      expect(answer?.progressRatio).toBeCloseTo(goodput(best ?? 0) / goodput(8), 6);
    }
  });

  it('says what both sizes take', () => {
    // √(1000 · 900) = 949, nearest in goodput: 1024.
    const answer = ask({});
    expect([answer?.held.predicted, answer?.chosen.predicted]).toEqual([false, true]);
    expect(answer?.held).toMatchObject({ batchSize: 32, stepSeconds: 1e-3 + 32e-6 });
    expect(answer?.chosen.batchSize).toBe(1024);
    expect(answer?.chosen.stepSeconds).toBeCloseTo(1e-3 + 1024e-6, 12);
    expect(answer?.pricedRatio).toBe(answer?.progressRatio);
  });

  it('stays where nothing is better, also at a size that is not on the ladder', () => {
    expect(ask({ held: 950, candidates: [512, 2048] })).toMatchObject({
      chosen: { batchSize: 950 },
      progressRatio: 1,
      pricedRatio: 1,
    });
  });

  it('prices the first use of a size over what is left of the run', () => {
    const times: StepTimes = [
      { batchSize: 32, parts: 1, firstSeconds: 1.1, seconds: [0.1] },
      { batchSize: 64, parts: 1, firstSeconds: null, seconds: [0.1] },
    ];
    const question = { times, held: 32, criticalBatchSize: 1e9, remainingExamples: 3200 };
    // 100 steps of 0.1 s are left; trying 128 costs 1 s, a tenth. 64 ran before and costs nothing.
    expect(ask({ ...question, candidates: [64] })?.pricedRatio).toBeCloseTo(2, 6);
    const unseen = ask({ ...question, candidates: [128] });
    expect(unseen?.progressRatio).toBeCloseTo(4, 6);
    expect(unseen?.pricedRatio).toBeCloseTo(3.6, 6);
    // With 10 steps left it eats all there is.
    expect(ask({ ...question, candidates: [128], remainingExamples: 320 })?.chosen.batchSize).toBe(32);
  });

  it('tells how sure the step times are', () => {
    const noisy = [1, 2, 3, 4, 5].reduce<StepTimes>(
      (times, s) => addStepTime(times, { batchSize: 64, seconds: s }),
      timed([[32, 3]]),
    );
    const answer = ask({ times: noisy, candidates: [64], criticalBatchSize: 1e9 });
    expect(answer?.ratioError).toBeCloseTo(2.02 / 2 / Math.sqrt(5), 12);
  });

  it('takes no smaller size that twice the noise would make the worse one', () => {
    // 128/(2.4 (128 + φc)) over 256/(3.7 (256 + φc)): 1.058 for φc = 216 and 0.947 for 432; 1.204 for 100 and 1.072 for 200.
    const of = (criticalBatchSize: number) =>
      ask({
        held: 256,
        candidates: [128, 256],
        times: timed([
          [128, 2.4],
          [256, 3.7],
        ]),
        criticalBatchSize,
      });
    expect(of(216)?.chosen.batchSize).toBe(256);
    expect(of(100)?.chosen.batchSize).toBe(128);
    expect(of(100)?.progressRatio).toBeCloseTo((128 * 3.7 * 356) / (256 * 2.4 * 228), 9);
    // The other way round nothing is asked of what comes: at half the noise 256 would be the worse one.
    const up = ask({
      held: 128,
      candidates: [128, 256],
      times: timed([
        [128, 2.4],
        [256, 3.7],
      ]),
      criticalBatchSize: 400,
    });
    expect(up?.chosen.batchSize).toBe(256);
  });

  it('calls for a trial by what is promised, and for a move by what is sure too', () => {
    const answer = ask({
      times: timed([
        [32, 1],
        [64, 1],
      ]),
      candidates: [64],
      criticalBatchSize: 1e9,
    });
    if (!answer) throw new Error('Nothing was timed.');
    const of = (pricedRatio: number, ratioError: number) => {
      const other = { ...answer, pricedRatio, ratioError };
      return [mayPay(other, 0.03), pays(other, 0.03)];
    };
    expect(of(1.031, 0)).toEqual([true, true]);
    expect(of(1.03, 0)).toEqual([false, false]);
    expect(of(1.08, 0.09)).toEqual([true, false]);
    expect(of(1.1, 0.09)).toEqual([true, true]);
    const { held } = answer;
    expect(mayPay({ ...answer, chosen: held, pricedRatio: 9 }, 0.03)).toBe(false);
  });

  it('knows nothing before a step was timed', () => {
    expect(ask({ times: [] })).toBeUndefined();
  });
});
