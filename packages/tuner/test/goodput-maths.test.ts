import { describe, expect, it } from 'vitest';
import { bestBatchSize, goodputOf } from '../src/goodput-maths.ts';

describe('goodputOf', () => {
  it('is B / (T (B + φc))', () => {
    expect(goodputOf({ batchSize: 100, stepSeconds: 0.5, criticalBatchSize: 300 })).toBe(0.5);
    expect(goodputOf({ batchSize: 300, stepSeconds: 2, criticalBatchSize: 100 })).toBe(0.375);
  });

  it('says how long a run takes: its ratio is that of α + βφc + βB + αφc/B', () => {
    const [alpha, beta, criticalBatchSize] = [3e-3, 2e-5, 700];
    const runSeconds = (B: number) =>
      alpha + beta * criticalBatchSize + beta * B + (alpha * criticalBatchSize) / B;
    const at = (batchSize: number) =>
      goodputOf({ batchSize, stepSeconds: alpha + beta * batchSize, criticalBatchSize });
    expect(at(64) / at(512)).toBeCloseTo(runSeconds(512) / runSeconds(64), 12);
  });
});

describe('bestBatchSize', () => {
  it('is √((α/β) φc)', () => {
    expect(
      bestBatchSize({ fixedSeconds: 4e-3, secondsPerExample: 1e-5, criticalBatchSize: 900 }),
    ).toBeCloseTo(600, 9);
    expect(bestBatchSize({ fixedSeconds: 1, secondsPerExample: 0, criticalBatchSize: 9 })).toBe(Infinity);
    expect(bestBatchSize({ fixedSeconds: 0, secondsPerExample: 1, criticalBatchSize: 9 })).toBe(0);
  });

  it('is where the goodput is highest, to a tenth of a percent', () => {
    const [fixedSeconds, secondsPerExample, criticalBatchSize] = [3e-3, 2e-5, 700];
    const best = bestBatchSize({ fixedSeconds, secondsPerExample, criticalBatchSize });
    const at = (batchSize: number) =>
      goodputOf({ batchSize, stepSeconds: fixedSeconds + secondsPerExample * batchSize, criticalBatchSize });
    expect(at(best)).toBeGreaterThan(at(best * 1.001));
    expect(at(best)).toBeGreaterThan(at(best / 1.001));
  });
});
