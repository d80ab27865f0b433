import { describe, expect, it } from 'vitest';
import { findCeiling, limitsOfRun, obviousPeakBytes, type TrialRecord } from '../src/index.ts';
import { MB, simulate, type SimulatedDevice } from './simulated-device.ts';
import { trialRecord } from './trial-record.ts';

/** 2 MB and 0.5 MB for each example. */
const device: SimulatedDevice = { peakBytes: (size) => 2 * MB + 0.5 * MB * size, memoryBytes: 400 * MB };

async function searched(sizes: { start: number; largest: number }, budgetBytes?: number, mayGrow = true) {
  const { trial, sizes: tried } = simulate(device);
  const limits = limitsOfRun(sizes, { budgetBytes, mayGrow });
  const ceiling = await findCeiling(trial, { ...limits, ...(budgetBytes !== undefined && { budgetBytes }) });
  return { ceiling, tried };
}

describe('limitsOfRun', () => {
  it('ends after one small trial where the largest batch obviously fits', async () => {
    // 16 take 10 MB, so 320 take 200 at most: half of 400.
    const { ceiling, tried } = await searched({ start: 16, largest: 320 }, 400 * MB);
    expect(tried).toEqual([16]);
    expect(obviousPeakBytes(ceiling.trials, 320, 400 * MB)).toBe(200 * MB);
  });

  it('goes on where it may take more than half', async () => {
    // From 16, 321 may take 200.6 MB. 256 is as far as one step goes; they take 130 MB, so 321 take 163.0 at most.
    const { ceiling, tried } = await searched({ start: 16, largest: 321 }, 400 * MB);
    expect(tried).toEqual([16, 256]);
    expect(obviousPeakBytes(ceiling.trials, 321, 400 * MB)).toBeCloseTo((130 * MB * 321) / 256, 0);
  });

  it('finds what fits where that is less', async () => {
    const { ceiling, tried } = await searched({ start: 16, largest: 5000 }, 400 * MB);
    // 98 % of 400 MB are 392: after 256 examples 256 · 392 / 130 = 771, which take 387.5.
    expect(tried).toEqual([16, 256, 771]);
    expect(ceiling).toMatchObject({ batchSize: 771, limitedBy: 'memory' });
    expect(obviousPeakBytes(ceiling.trials, 5000, 400 * MB)).toBeUndefined();
  });

  it('tries once where larger sizes would cost too much', async () => {
    const { ceiling, tried } = await searched({ start: 16, largest: 5000 }, 400 * MB, false);
    expect(tried).toEqual([16]);
    expect(ceiling).toMatchObject({ batchSize: 16, limitedBy: 'searchBudget' });
  });

  it('tries five times at most', async () => {
    // By 4 each time where no budget is known: 1, 4, 16, 64, 256.
    const { tried } = await searched({ start: 1, largest: 5000 });
    expect(tried).toEqual([1, 4, 16, 64, 256]);
  });
});

describe('obviousPeakBytes', () => {
  const record = (batchSize: number, fields: Partial<TrialRecord> = {}): TrialRecord =>
    trialRecord(batchSize, {
      peak: { peakBytes: 1000, gradientPeakBytes: null, baseBytes: null, source: 'test', certainty: 'exact' },
      ...fields,
    });

  it('grows in proportion, and does not shrink', () => {
    expect(obviousPeakBytes([record(10)], 30, 6000)).toBe(3000);
    expect(obviousPeakBytes([record(10)], 5, 6000)).toBe(1000);
  });

  it('is not known without a reading, a budget or a success, nor after a failure', () => {
    expect(obviousPeakBytes([record(10, { peak: null })], 30, 6000)).toBeUndefined();
    expect(obviousPeakBytes([record(10)], 30, undefined)).toBeUndefined();
    expect(obviousPeakBytes([], 30, 6000)).toBeUndefined();
    const failure = record(40, { verdict: 'tooBig', limit: 'deviceLimit', peak: null });
    expect(obviousPeakBytes([failure, record(10)], 30, 6000)).toBeUndefined();
  });
});
