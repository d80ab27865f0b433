import { describe, expect, it } from 'vitest';
import { bestBatchSize, goodputOf } from '../src/goodput-maths.ts';

const [fixedSeconds, secondsPerExample, criticalBatchSize] = [3e-3, 2e-5, 700];
const stepSeconds = (batchSize: number) => fixedSeconds + secondsPerExample * batchSize;

describe('goodputOf', () => {
  it('is B / (T (B + φc)) where the examples go as 1 + B/φc', () => {
    const law = { criticalBatchSize: 300, examplesExponent: 1 };
    expect(goodputOf({ batchSize: 100, stepSeconds: 0.5, ...law })).toBe(0.5);
    expect(goodputOf({ ...law, batchSize: 300, stepSeconds: 2, criticalBatchSize: 100 })).toBe(0.375);
  });

  it('is B / (T √(B + φc)) where they go as the root of that', () => {
    const law = { criticalBatchSize: 300, examplesExponent: 0.5 };
    expect(goodputOf({ batchSize: 100, stepSeconds: 0.5, ...law })).toBe(10);
    expect(goodputOf({ batchSize: 600, stepSeconds: 2, ...law })).toBe(10);
  });

  it('says how long a run takes: its ratio is that of α + βφc + βB + αφc/B', () => {
    const runSeconds = (B: number) =>
      fixedSeconds +
      secondsPerExample * criticalBatchSize +
      secondsPerExample * B +
      (fixedSeconds * criticalBatchSize) / B;
    const at = (batchSize: number) =>
      goodputOf({ batchSize, stepSeconds: stepSeconds(batchSize), criticalBatchSize, examplesExponent: 1 });
    expect(at(64) / at(512)).toBeCloseTo(runSeconds(512) / runSeconds(64), 12);
  });

  it('says for p = ½ how far Adam goes in the time: by its step on the noisy gradient, rate and all', () => {
    // The mean over many noisy gradients of one coordinate, G = 1, and what a rate that grows as √B makes of it.
    const noise = 700;
    const went = (B: number) => Math.sqrt(B) / Math.sqrt(1 + noise / B) / stepSeconds(B);
    const at = (batchSize: number) =>
      goodputOf({
        batchSize,
        stepSeconds: stepSeconds(batchSize),
        criticalBatchSize: noise,
        examplesExponent: 0.5,
      });
    expect(at(64) / at(512)).toBeCloseTo(went(64) / went(512), 12);
  });
});

describe('bestBatchSize', () => {
  const bestFor = (examplesExponent: number) => (fixed: number, perExample: number, critical: number) =>
    bestBatchSize({
      fixedSeconds: fixed,
      secondsPerExample: perExample,
      criticalBatchSize: critical,
      examplesExponent,
    });

  it('is √((α/β) φc) for p = 1', () => {
    expect(bestFor(1)(4e-3, 1e-5, 900)).toBeCloseTo(600, 9);
  });

  it('is (r + √(r² + 8 r φc))/2 for p = ½, with r = α/β: r itself without noise', () => {
    // r = 400, φc = 150: (400 + √(160,000 + 480,000))/2.
    expect(bestFor(0.5)(4e-3, 1e-5, 150)).toBeCloseTo(600, 9);
    expect(bestFor(0.5)(4e-3, 1e-5, 1e-9)).toBeCloseTo(400, 6);
  });

  it.each([1, 0.5])('has no bound where examples cost nothing, and is 0 where steps do, for p = %s', (p) => {
    expect(bestFor(p)(1, 0, 9)).toBe(Infinity);
    expect(bestFor(p)(0, 1, 9)).toBe(0);
  });

  it.each([1, 0.5, 0.7])('is where the goodput is highest, to a tenth of a percent, for p = %s', (p) => {
    const law = { criticalBatchSize, examplesExponent: p };
    const best = bestBatchSize({ fixedSeconds, secondsPerExample, ...law });
    const at = (batchSize: number) => goodputOf({ batchSize, stepSeconds: stepSeconds(batchSize), ...law });
    expect(at(best)).toBeGreaterThan(at(best * 1.001));
    expect(at(best)).toBeGreaterThan(at(best / 1.001));
  });
});
