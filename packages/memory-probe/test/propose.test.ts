import { describe, expect, it } from 'vitest';
import { sizeRange } from '../src/bounds.ts';
import { fitMemory, largestWithin, type MemoryFit } from '../src/memory-fit.ts';
import { propose, type SearchState } from '../src/propose.ts';
import type { TrialRecord } from '../src/trial.ts';
import { trialRecord } from './trial-record.ts';

const took = (batchSize: number, peakBytes: number, gradientPeakBytes: number | null = null): TrialRecord =>
  trialRecord(batchSize, {
    peak: { peakBytes, gradientPeakBytes, baseBytes: 100, source: 'test', certainty: 'exact' },
  });
const state = (fields: Partial<SearchState> = {}): SearchState => ({
  range: sizeRange({}),
  start: 16,
  allowedBytes: 10_000,
  fit: undefined,
  gradientFit: undefined,
  isExact: true,
  isLastTrial: false,
  resolution: 0.015,
  closing: { allowedBytes: fields.allowedBytes ?? 10_000, resolution: 0.015, enoughBytes: 9900 },
  ...fields,
});

describe('propose', () => {
  it('grows in proportion to what a step takes beyond what was in use', () =>
    // (10000 − 100) / (3400 − 100) = 3 times as many.
    expect(propose([took(100, 3400)], state())).toEqual({ kind: 'try', batchSize: 300 }));

  it('goes half of a long way, and all of it where no trial is left', () => {
    // (10000 − 100) / (1090 − 100) = 10 times as many.
    expect(propose([took(100, 1090)], state())).toEqual({ kind: 'try', batchSize: 500 });
    expect(propose([took(100, 1090)], state({ isLastTrial: true }))).toEqual({
      kind: 'try',
      batchSize: 1000,
    });
    expect(propose([took(100, 110)], state())).toEqual({ kind: 'try', batchSize: 1600 });
  });

  it('grows by what gradients take where the optimizer hides it', () =>
    // 10000 − 5000 is left, and 100 examples take 2500 − 100: 100 · (1 + 5000 / 2400) = 308.
    expect(propose([took(100, 5000, 2500)], state())).toEqual({ kind: 'try', batchSize: 308 }));

  it('believes a fit that says that proportion is too bold', () => {
    const points = [
      { batchSize: 100, peakBytes: 1000 },
      { batchSize: 200, peakBytes: 4000 },
      { batchSize: 210, peakBytes: 4400 },
    ];
    const fit = fitMemory(points, { relativeNoise: 0.002 });
    if (!fit) throw new Error('no fit');
    expect(fit.interceptBytes).toBeLessThan(0);
    const trials = points.map(({ batchSize, peakBytes }) => took(batchSize, peakBytes));
    const byFit = largestWithin(fit, 10_000, { from: 210, to: 1e6 });
    expect(propose(trials, state({ fit }))).toEqual({ kind: 'try', batchSize: byFit });
    // By proportion it would have been 210 · 9900 / 4300 = 483.
    expect(byFit).toBeLessThan(400);
  });

  it('follows a line through readings that are not exact to twice the largest', () => {
    const points = [
      { batchSize: 50, peakBytes: 2000 },
      { batchSize: 100, peakBytes: 2200 },
      { batchSize: 200, peakBytes: 2600 },
    ];
    const fit = fitMemory(points, { relativeNoise: 0.002 });
    if (!fit) throw new Error('no fit');
    const trials = points.map(({ batchSize, peakBytes }) => took(batchSize, peakBytes));
    const byFit = (bytes: number) => largestWithin(fit, bytes, { from: 200, to: 1e6 });
    const asked = (isExact: boolean) => propose(trials, state({ fit, isExact, allowedBytes: 5500 }));
    expect(asked(true)).toEqual({ kind: 'try', batchSize: Math.floor(byFit(5500) / 2) });
    // 2 · 2600, and as above half of a way of more than four times.
    expect(asked(false)).toEqual({ kind: 'try', batchSize: Math.floor(byFit(5200) / 2) });
  });

  it('makes the largest step from a size that takes no more than a much smaller one, where there is room', () => {
    const flat = [took(16, 1500), took(100, 1520)];
    // 1520 of 10000 leave 5.6 times as much; by proportion it would be half of 100 · (1 + 8480 / 1420).
    expect(propose(flat, state())).toEqual({ kind: 'try', batchSize: 1600 });
    const half = (ratio: number) => ({ kind: 'try', batchSize: Math.floor((100 * ratio) / 2) });
    expect(propose([took(26, 1500), took(100, 1520)], state())).toEqual(half(9900 / 1420));
    expect(propose([took(16, 1480), took(100, 1520)], state())).toEqual(half(9900 / 1420));
    expect(propose(flat, state({ allowedBytes: 9000 }))).toEqual(half(8900 / 1420));
  });

  it('leaves proportion where a larger step took more than that', () => {
    const slope = fitMemory(
      [
        { batchSize: 100, peakBytes: 4100 },
        { batchSize: 300, peakBytes: 12_500 },
      ],
      { relativeNoise: 0.002, hasFloor: false },
    );
    const over = { ...took(300, 12_500), verdict: 'overBudget' } as const;
    // In proportion 300 examples would take 12100, and 10000 would hold 247; by the line it is 100 · (1 + 59 / 42) = 240, less its band.
    const next = propose([took(100, 4100), over], state({ gradientFit: slope }));
    expect(next).toMatchObject({ kind: 'try' });
    expect((next.kind === 'try' && next.batchSize) || 0).toBeLessThanOrEqual(240);
    expect((next.kind === 'try' && next.batchSize) || 0).toBeGreaterThan(235);
    const lean = { ...over, ...took(300, 12_100), verdict: 'overBudget' } as const;
    expect(propose([took(100, 4100), lean], state({ gradientFit: slope }))).toEqual({
      kind: 'try',
      batchSize: 247,
    });
  });

  it('goes by the line to the next larger step where that took more, and nothing else says how far', () => {
    const over = (batchSize: number, peakBytes: number) =>
      ({ ...took(batchSize, peakBytes), verdict: 'overBudget' }) as const;
    // 100 + 100 · (10000 − 4000) / (12000 − 4000), not the 139 of 100 + 300 · 6000 / 46000.
    const trials = [over(400, 50_000), over(200, 12_000), took(100, 4000)];
    expect(propose(trials, state())).toEqual({ kind: 'try', batchSize: 175 });
  });

  it('does not take the scatter of readings for a law that steepens', () => {
    const points = [
      { batchSize: 100, peakBytes: 1080 },
      { batchSize: 200, peakBytes: 2120 },
      { batchSize: 400, peakBytes: 4330 },
    ];
    const fit = fitMemory(points, { relativeNoise: 0.03 });
    expect(fit?.interceptBytes).toBeLessThan(100);
    const trials = points.map(({ batchSize, peakBytes }) => took(batchSize, peakBytes));
    // 400 · (10000 − 100) / (4330 − 100)
    expect(propose(trials, state({ fit }))).toEqual({ kind: 'try', batchSize: 936 });
  });

  it('goes back by 5 %, twice, and then to the middle', () => {
    const full = { verdict: 'tooBig', limit: 'memory' } as const;
    const best = took(100, 3400);
    expect(propose([best, trialRecord(300, full)], state())).toEqual({ kind: 'try', batchSize: 285 });
    const twice = [best, trialRecord(300, full), trialRecord(285, full)];
    expect(propose(twice, state())).toEqual({ kind: 'try', batchSize: 270 });
    // √(100 · 270)
    expect(propose([...twice, trialRecord(270, full)], state())).toEqual({ kind: 'try', batchSize: 164 });
  });

  it('closes in from a size that takes 94 % of what is allowed, for a smaller gain and a little more of it', () => {
    const closing = { allowedBytes: 10_250, resolution: 0.015, enoughBytes: 10_200 };
    const search = state({ resolution: 0.05, closing });
    // 300 · (1 + (10250 − 9400) / (9400 − 100))
    expect(propose([took(300, 9400)], search)).toEqual({ kind: 'try', batchSize: 327 });
    // 300 · (1 + (10250 − 9800) / (9800 − 100)) = 313, 4.6 % more
    expect(propose([took(300, 9800)], search)).toEqual({ kind: 'try', batchSize: 313 });
    // From less it is 300 · (1 + (10000 − 9390) / (9390 − 100)).
    expect(propose([took(300, 9390)], search)).toEqual({ kind: 'try', batchSize: 319 });
    // 300 · (1 + (10250 − 10110) / (10110 − 100)) = 304, 1.3 % more
    expect(propose([took(300, 10_110)], search)).toEqual({ kind: 'stop', limitedBy: 'memory' });
  });

  it('does not close in from enough, unless each example took more than in a smaller batch', () => {
    const closing = { allowedBytes: 10_250, resolution: 0.015, enoughBytes: 9800 };
    const search = state({ resolution: 0.05, closing });
    // 300 · (1 + (10250 − 9799) / (9799 − 100))
    expect(propose([took(300, 9799)], search)).toEqual({ kind: 'try', batchSize: 313 });
    expect(propose([took(300, 9800)], search)).toEqual({ kind: 'stop', limitedBy: 'memory' });
    // A surplus of 2 % is none: 32.667 − 32.02 of 32.667.
    expect(propose([took(100, 3202), took(300, 9800)], search)).toMatchObject({ kind: 'stop' });
  });

  it('counts on half of what the allocator took beyond the cheapest example, once', () => {
    const closing = { allowedBytes: 10_250, resolution: 0.015, enoughBytes: 9500 };
    const search = state({ resolution: 0.05, closing });
    // 9800 / 300 = 32.667 for each, of which 10 / 98 are more than 29.333: 300 · (10250 / 9800) / (1 − 10 / 196).
    const trials = [took(150, 4400), took(300, 9800)];
    expect(propose(trials, search)).toEqual({ kind: 'try', batchSize: 330 });
    // Gradients count where they are told apart: 30 for each against 29, 300 · (10250 / 9800) / (1 − 1 / 60).
    expect(propose([took(100, 9000, 2900), took(300, 9800, 9000)], search)).toEqual({
      kind: 'try',
      batchSize: 319,
    });
    // 324 · (1 + (10250 − 9900) / (9900 − 100)) = 335
    expect(propose([...trials, took(324, 9900)], search)).toEqual({ kind: 'try', batchSize: 335 });
  });

  it('is not sure of a slope, and grows by its upper end', () => {
    const slope: MemoryFit = {
      floorBytes: 0,
      interceptBytes: 5000,
      bytesPerExample: 10,
      relativeError: 0.03,
      linePoints: 4,
      band: { meanBatchSize: 200, weight: 1, spread: 1e-4 },
    };
    // With 6 degrees of freedom 95 % end at 1.938 times 0.03 / √0.0001: 10 + 5.815 bytes for each. 300 + 2000 / 15.815;
    // by proportion it is 300 · (1 + 2000 / 7900) = 375.
    const search = state({ gradientFit: slope });
    expect(propose([took(300, 8000)], search)).toEqual({ kind: 'try', batchSize: 426 });
  });

  it('ends close below a failure, and names its reason', () => {
    const limit = { verdict: 'tooBig', limit: 'deviceLimit' } as const;
    expect(propose([took(295, 9000), trialRecord(300, limit)], state())).toEqual({
      kind: 'stop',
      limitedBy: 'deviceLimit',
    });
  });
});
