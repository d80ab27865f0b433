import { describe, expect, it } from 'vitest';
import { findCeiling, type Trial } from '../src/index.ts';
import { MB, cnn, largestFitting, lstm, search, simulate } from './simulated-device.ts';

describe('findCeiling where sizes fail', () => {
  it('goes down until something fits', async () => {
    const { ceiling, sizes } = await search({ ...cnn, memoryBytes: 20 * MB });
    // 16 take 26.4 MB, 4 take 10.356: 98 % of 20 MB hold 4 · (1 + 9.244 / 9.356) = 7. These take 14.373 MB: 9 hold.
    expect(sizes).toEqual([16, 4, 7, 9, 10]);
    expect(ceiling.batchSize).toBe(10);
  });

  it('says that nothing fits where one example does not', async () => {
    const { ceiling, sizes } = await search({ ...cnn, memoryBytes: 6 * MB });
    expect(sizes).toEqual([16, 4, 1]);
    expect(ceiling).toMatchObject({ batchSize: null, limitedBy: 'memory', fit: null });
    expect(ceiling.reason).toBe('No size trained: 1 examples are too many already (out of memory).');
  });

  it.each([
    // 16 take 27.86 MB and 4 take 5.28: by the line through them 4 + 12 · (24.5 − 5.28) / 22.58 = 14 hold.
    ['B^1.2 in 25 MB', (size: number) => MB * size ** 1.2, 25, 16, [16, 4, 14, 15], 14],
    // 4 take 5.2 MB and 16 take 53.2: 4 + 12 · 34 / 48 = 12. These take 30.8 MB: 12 + 4 · 8.4 / 22.4 = 13.
    ['2 + B² / 5 in 40 MB', (size: number) => (2 + size ** 2 / 5) * MB, 40, 16, [16, 4, 12, 13], 13],
    // 4 take 10.6 MB and 16 take 46.6: 4 + 12 · 28.6 / 36 = 13. These take 34.9 MB: 13 + 3 · 4.3 / 11.7 = 14.
    [
      '5 + B + B² / 10 in 40 MB',
      (size: number) => (5 + size + size ** 2 / 10) * MB,
      40,
      16,
      [16, 4, 13, 14],
      14,
    ],
    ['B^1.2 in 100 MB from 64', (size: number) => MB * size ** 1.2, 100, 64, [64, 16, 44, 50, 47], 44],
  ] as const)(
    'finds it below a first size that is over the budget, where memory steepens: %s',
    async (_name, peakBytes, megabytes, start, tried, batchSize) => {
      const { ceiling, sizes } = await search({ peakBytes }, { budgetBytes: megabytes * MB, start });
      expect(sizes).toEqual(tried);
      expect(ceiling).toMatchObject({ batchSize, limitedBy: 'memory' });
    },
  );

  it('closes in where less than the budget is there', async () => {
    const { ceiling, outOfMemory } = await search(
      { ...cnn, memoryBytes: 350 * MB },
      { budgetBytes: 400 * MB },
    );
    const truth = largestFitting(cnn, 350 * MB);
    expect(outOfMemory.length).toBeLessThanOrEqual(2);
    expect(ceiling.batchSize).toBeGreaterThan(0.9 * truth);
    expect(ceiling.batchSize).toBeLessThanOrEqual(truth);
    expect(ceiling.reason).toContain('did not train: out of memory');
  });

  it('finds the limit without a budget, by growing until one fails', async () => {
    const { ceiling, sizes } = await search({ ...cnn, memoryBytes: 400 * MB }, { maxTrials: 8 });
    expect(sizes.slice(0, 3)).toEqual([16, 123, 285]);
    const { trial } = simulate({ ...cnn, memoryBytes: 400 * MB });
    const blind = await findCeiling(trial, { maxTrials: 8 });
    expect(blind.trials.slice(0, 4).map(({ batchSize }) => batchSize)).toEqual([16, 64, 256, 1024]);
    expect(blind.batchSize).toBe(256);
    expect(ceiling.batchSize).toBe(285);
  });

  it('does not accept a step that took more than the budget', async () => {
    const { trial, sizes } = simulate({
      ...cnn,
      reads: (bytes, count) => (count === 3 ? 1.1 * bytes : bytes),
    });
    const ceiling = await findCeiling(trial, { budgetBytes: 400 * MB });
    expect(ceiling.trials[2]).toMatchObject({ batchSize: 285, verdict: 'overBudget' });
    expect(ceiling.batchSize).toBeLessThan(285);
    expect(sizes).toContain(ceiling.batchSize);
  });

  it('stops at a trial that took too long', async () => {
    const failsAt = (size: number) =>
      size > 100 ? ({ kind: 'timeout', message: 'more than 60 s' } as const) : undefined;
    const { ceiling, sizes } = await search({ ...cnn, memoryBytes: 400 * MB, failsAt });
    expect(sizes).toEqual([16, 123]);
    expect(ceiling).toMatchObject({ batchSize: 16, limitedBy: 'searchBudget' });
    expect(ceiling.reason).toContain('123 did not train: more than 60 s');
  });

  it('bisects what fails for a limit of the device', async () => {
    const failsAt = (size: number) =>
      size > 300 ? ({ kind: 'tooBig', limit: 'deviceLimit', message: 'dispatch' } as const) : undefined;
    const { ceiling } = await search({ ...lstm, memoryBytes: 8000 * MB, failsAt }, { maxTrials: 16 });
    expect(ceiling.limitedBy).toBe('deviceLimit');
    expect(ceiling.batchSize).toBeGreaterThan(280);
    expect(ceiling.batchSize).toBeLessThanOrEqual(300);
  });

  it('throws the error that it is where nothing trains and it is not the size', async () => {
    const error = new TypeError('The layer "dense" has no input.');
    const trial: Trial = () => {
      throw error;
    };
    await expect(findCeiling(trial)).rejects.toBe(error);
    const told: Trial = () => ({ kind: 'error', message: 'no such op' });
    await expect(findCeiling(told)).rejects.toThrow('no such op');
    await expect(findCeiling(told, { maxTrials: 1 })).rejects.toThrow('no such op');
  });

  it('names a failure that is not the size above what trained', async () => {
    const failsAt = (size: number) => (size > 100 ? ({ kind: 'error', message: 'NaN' } as const) : undefined);
    const { ceiling } = await search({ ...cnn, memoryBytes: 400 * MB, failsAt }, { maxTrials: 12 });
    expect(ceiling).toMatchObject({ limitedBy: 'failure', reason: expect.stringContaining('NaN') });
    expect(ceiling.batchSize).toBeGreaterThan(95);
  });

  it('takes a lost device for too big only where memory was about to be full', async () => {
    const lost = { kind: 'lost', message: 'the device was lost' } as const;
    const small = await search({
      ...cnn,
      memoryBytes: 400 * MB,
      failsAt: (size) => (size > 20 ? lost : undefined),
    });
    expect(small.ceiling.trials[1]).toMatchObject({ batchSize: 123, verdict: 'error', limit: null });
    expect(small.ceiling.batchSize).toBe(16);

    const large = await search({
      ...cnn,
      memoryBytes: 400 * MB,
      failsAt: (size) => (size > 270 ? lost : undefined),
    });
    expect(large.ceiling.trials[2]).toMatchObject({ batchSize: 285, verdict: 'tooBig', limit: 'memory' });
    expect(large.ceiling.batchSize).toBeGreaterThan(256);

    const first = search({ ...cnn, memoryBytes: 400 * MB, failsAt: () => lost });
    await expect(first).rejects.toThrow('the device was lost');
  });
});
