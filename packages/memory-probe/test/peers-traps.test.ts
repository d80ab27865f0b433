import { describe, expect, it } from 'vitest';
import { findCeiling, type Trial, type TrialOutcome } from '../src/index.ts';
import { MB, simulate } from './simulated-device.ts';

/** What batch-size finders are known to get wrong, and their users' reports of it. */
describe("a peer's trap", () => {
  const cnn = { peakBytes: (size: number) => 5 * MB + 1.339 * MB * size };

  it('max 100 returns at most 100, and a size that was tried (Lightning returned 128, tried up to 64)', async () => {
    const { trial, sizes } = simulate(cnn);
    const { batchSize } = await findCeiling(trial, { budgetBytes: 8000 * MB, max: 100 });
    expect(batchSize).toBe(100);
    expect(sizes).toContain(100);
  });

  it('a trial that runs no step is an error (Lightning 13851, 21903)', async () => {
    const trial: Trial = (request) => ({ ...trained(request.batchSize), steps: 0 });
    await expect(findCeiling(trial)).rejects.toThrow('The trial of batch size 16 ran 0 steps');
  });

  it('a trial of another size is an error (Lightning 7562)', async () => {
    const trial: Trial = () => trained(8);
    await expect(findCeiling(trial)).rejects.toThrow('batch size 16 ran steps of 8 examples');
  });

  it('batch normalisation at batch 1 is not a ceiling (Ultralytics 26224)', async () => {
    const { trial, sizes } = simulate({
      ...cnn,
      memoryBytes: 400 * MB,
      failsAt: (size) =>
        size === 1
          ? { kind: 'error', message: 'Expected more than 1 value per channel when training' }
          : undefined,
    });
    const ceiling = await findCeiling(trial, { budgetBytes: 400 * MB, start: 1 });
    expect(sizes.slice(0, 2)).toEqual([1, 2]);
    expect(ceiling.limitedBy).toBe('memory');
    expect(ceiling.batchSize).toBeGreaterThan(250);
  });

  it('nothing that fits is not the default size (Ultralytics 25739)', async () => {
    const { trial } = simulate({ peakBytes: () => 900 * MB, memoryBytes: 400 * MB });
    expect((await findCeiling(trial, { budgetBytes: 400 * MB })).batchSize).toBeNull();
  });

  it('flat readings promise no size that was not tried (yolov5 9156: batch-size 253731)', async () => {
    const { trial, sizes } = simulate({ ...cnn, reads: () => 10 * MB, memoryBytes: 400 * MB });
    const ceiling = await findCeiling(trial, { budgetBytes: 8000 * MB });
    expect(sizes).toContain(ceiling.batchSize);
    expect(ceiling.fit).toBeNull();
    expect(ceiling.batchSize).toBeLessThanOrEqual(295);
  });

  it('over-limit zeros are caught (tfjs 6507: zeros above 131 examples)', async () => {
    const { trial } = simulate({ ...cnn, zerosFrom: 132 });
    const ceiling = await findCeiling(trial, { budgetBytes: 8000 * MB, maxTrials: 12 });
    expect(ceiling.limitedBy).toBe('deviceLimit');
    expect(ceiling.batchSize).toBeGreaterThan(120);
    expect(ceiling.batchSize).toBeLessThanOrEqual(131);
    expect(ceiling.trials.find(({ verdict }) => verdict === 'wrong')).toMatchObject({
      canaryDeviation: 1,
      peak: null,
      message: 'The loss in training is 0, but 2.3 for the same examples in parts.',
    });
  });

  it('a failure at one exact size is not a ceiling (tfjs 6884, 7448)', async () => {
    const fine = simulate({ ...cnn, memoryBytes: 8000 * MB });
    await findCeiling(fine.trial, { budgetBytes: 8000 * MB });
    const [, second = 0] = fine.sizes;
    const { trial, sizes } = simulate({
      ...cnn,
      memoryBytes: 8000 * MB,
      failsAt: (size) =>
        size === second ? { kind: 'tooBig', limit: 'memory', message: 'shader' } : undefined,
    });
    const ceiling = await findCeiling(trial, { budgetBytes: 8000 * MB });
    expect(sizes[1]).toBe(second);
    expect(sizes[2]).toBe(Math.floor((15 / 16) * second));
    expect(ceiling.limitedBy).toBe('memory');
    expect(ceiling.batchSize).toBeGreaterThan(5500);
  });

  it('a memory reading of 0 is not believed', async () => {
    const { trial, sizes } = simulate({ ...cnn, reads: () => 0, memoryBytes: 400 * MB });
    const ceiling = await findCeiling(trial, { budgetBytes: 400 * MB });
    expect(sizes.slice(0, 4)).toEqual([16, 64, 256, 1024]);
    expect(ceiling.trials[0]).toMatchObject({
      peak: null,
      message: 'The reading of 0 bytes by simulated was not believed.',
    });
    expect(ceiling.batchSize).toBe(256);
  });

  it('a step without a canary is not said to fit', async () => {
    const trial: Trial = ({ batchSize }) => ({ ...trained(batchSize), canary: null });
    await expect(findCeiling(trial)).rejects.toThrow('The trial of batch size 16 took no canary');
    expect(await findCeiling(trial, { canary: 'off', max: 32 })).toMatchObject({ batchSize: 32 });
  });

  it('a gradient of 0 proves nothing', async () => {
    const canary = [{ quantity: 'loss', mode: 'training', whole: 0, parts: 0 } as const];
    const trial: Trial = ({ batchSize }) => ({ ...trained(batchSize), canary });
    await expect(findCeiling(trial)).rejects.toThrow('Loss and gradient are 0, so they prove nothing.');
  });
});

const trained = (examples: number): Extract<TrialOutcome, { kind: 'trained' }> => ({
  kind: 'trained',
  steps: 1,
  examples,
  peak: null,
  canary: [{ quantity: 'loss', mode: 'training', whole: 1, parts: 1 }],
});
