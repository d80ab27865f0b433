import { describe, expect, it } from 'vitest';
import { findCeiling, type Trial, type TrialRecord } from '../src/index.ts';
import {
  MB,
  blocks,
  cnn,
  heavy,
  largestFitting,
  lstm,
  mlp,
  search,
  simulate,
  type SimulatedDevice,
} from './simulated-device.ts';

describe('findCeiling on a device with a hard limit', () => {
  const devices: [string, SimulatedDevice][] = [
    ['MLP with a floor', mlp],
    ['CNN', cnn],
    ['LSTM', lstm],
    ['model that fills most of the memory itself', heavy],
    ['allocator of coarse blocks', blocks],
  ];
  const memories = [600 * MB, 1000 * MB, 8000 * MB, 80_000 * MB];
  const rows = devices.flatMap(([name, device]) =>
    memories.map((memory) => [`${name} in ${memory / MB} MB`, device, memory] as const),
  );

  it.each(rows)(
    'is within 5 %% of it in six trials, none out of memory: %s',
    async (_name, device, memoryBytes) => {
      const { ceiling, sizes, outOfMemory } = await search({ ...device, memoryBytes });
      const truth = largestFitting(device, memoryBytes);
      expect(ceiling.batchSize).toBeLessThanOrEqual(truth);
      expect(ceiling.batchSize).toBeGreaterThanOrEqual(0.95 * truth);
      expect(sizes).toContain(ceiling.batchSize);
      expect(sizes.length).toBeLessThanOrEqual(6);
      expect(outOfMemory).toEqual([]);
      expect(ceiling.limitedBy).toBe('memory');
    },
  );

  it.each(devices)('stays below it with readings off by up to 3 %%: %s', async (_name, device) => {
    const memoryBytes = 536.9 * MB;
    const reads = (bytes: number, trial: number) => bytes * (1 + 0.03 * Math.sin(5 * trial));
    const { ceiling, sizes } = await search({ ...device, memoryBytes, reads, certainty: 'unknown' });
    expect(ceiling.safety).toBe(0.88);
    expect(ceiling.batchSize).toBeLessThanOrEqual(largestFitting(device, memoryBytes));
    expect(sizes).toContain(ceiling.batchSize);
  });

  it('follows the CNN by hand', async () => {
    // 98 % of 400 MB less 1 MB of weights is 391 MB. 16 examples take 25.424 above them ending at 26.424 MB, so 16 · (1 +
    // 365.576 / 25.424) = 246 hold by proportion; that is 15 times as many, so half of it is tried: 123. These take
    // 169.697 MB, which leaves 222.303 for 123 · (1 + 222.303 / 168.697) = 285; they take 386.615 MB.
    const { ceiling, sizes } = await search({ ...cnn, memoryBytes: 400 * MB });
    expect(sizes).toEqual([16, 123, 285]);
    expect(ceiling).toEqual({
      batchSize: 285,
      limitedBy: 'memory',
      reason:
        '285 examples trained right and took 386.6 MB; more is not expected to stay within 98 % of 400.0 MB.',
      budgetBytes: 400 * MB,
      safety: 0.98,
      fit: expect.objectContaining({
        floorBytes: 0,
        linePoints: 3,
        bytesPerExample: expect.closeTo(1.339 * MB, 0),
      }),
      trials: expect.any(Array),
    });
    expect(ceiling.trials[2]).toEqual({
      batchSize: 285,
      verdict: 'fits',
      limit: null,
      peak: {
        peakBytes: cnn.peakBytes(285),
        gradientPeakBytes: null,
        baseBytes: MB,
        source: 'simulated',
        certainty: 'exact',
      },
      predictedPeakBytes: null,
      steps: 2,
      stepSeconds: null,
      canaryDeviation: 0,
      seconds: null,
      message: null,
    });
    expect(JSON.parse(JSON.stringify(ceiling))).toEqual(ceiling);
  });

  it('says that a size fits only where a canary agreed', async () => {
    const { ceiling } = await search({ ...cnn, memoryBytes: 400 * MB }, { canary: 'off' });
    expect(ceiling).toMatchObject({
      batchSize: 285,
      reason: expect.stringMatching(/^285 examples trained and/),
    });
    expect(ceiling.trials.map(({ verdict }) => verdict)).toEqual(['trained', 'trained', 'trained']);
    const { ceiling: proved } = await search({ ...cnn, memoryBytes: 400 * MB });
    expect(proved.trials.map(({ verdict }) => verdict)).toEqual(['fits', 'fits', 'fits']);
  });

  it('closes in on it where readings are upper bounds, by hand', async () => {
    // 96 % of 400 MB are 384: 16 examples take 26.424, so 16 · (1 + 357.576 / 25.424) = 241 hold by proportion, and half of
    // that is tried. 120 take 165.68: 120 · (1 + 218.32 / 164.68) = 279, which take 378.581, more than 94 % of 384 and less
    // than 95 % of 400. From there 98.5 % of 400 are aimed at: 279 · (1 + 15.419 / 377.581) = 290. These take 393.31.
    const upper = { ...cnn, memoryBytes: 400 * MB, certainty: 'upperBound' } as const;
    const { ceiling, sizes } = await search(upper);
    expect(sizes).toEqual([16, 120, 279, 290]);
    expect(ceiling).toMatchObject({ batchSize: 290, safety: 0.985, limitedBy: 'memory' });
    // What the user says holds for all steps: 95 % of 400 are 380. 119 take 164.341; 119 · (1 + 215.659 / 163.341) = 276.
    expect((await search(upper, { safety: 0.95 })).sizes).toEqual([16, 119, 276]);
    // 279 is as near as was asked for.
    expect((await search(upper, { resolution: 0.06 })).sizes).toEqual([16, 120, 279]);
  });

  it('does not creep up on it where readings are of unknown worth, by hand', async () => {
    // 88 % of 400 MB are 352: 16 · (1 + 325.576 / 25.424) / 2 = 110, which take 152.29; 110 · (1 + 199.71 / 151.29) = 255, which
    // take 346.445, and 259 would be 1.6 % more.
    const { ceiling, sizes } = await search({ ...cnn, memoryBytes: 400 * MB, certainty: 'unknown' });
    expect(sizes).toEqual([16, 110, 255]);
    expect(ceiling.safety).toBe(0.88);
  });

  it.each(['upperBound', 'exact'] as const)(
    'takes readings that are said to be %s and scatter by 5 %% for a line that is as uncertain',
    async (certainty) => {
      const reads = (bytes: number, trial: number) => bytes * (trial % 2 === 0 ? 1.05 : 1);
      const { ceiling } = await search({ ...cnn, memoryBytes: 400 * MB, reads, certainty });
      expect(ceiling.trials.length).toBeGreaterThan(2);
      expect(ceiling.fit?.linePoints).toBe(ceiling.trials.length);
      // Half of 5 %, beside which 0.2 % are nothing.
      expect(ceiling.fit?.relativeError).toBeGreaterThan(0.02);
    },
  );

  it('predicts from the third trial on where gradients are told apart', async () => {
    const apart: SimulatedDevice = {
      peakBytes: (size) => Math.max(40 * MB, 10 * MB + 0.1 * MB * size),
      gradientBytes: (size) => 10 * MB + 0.1 * MB * size,
      baseBytes: 5 * MB,
    };
    const { ceiling } = await search({ ...apart, memoryBytes: 1000 * MB });
    const predicted = ceiling.trials.map(({ batchSize, predictedPeakBytes, peak }) => [
      predictedPeakBytes === null,
      Math.abs((predictedPeakBytes ?? apart.peakBytes(batchSize)) / (peak?.peakBytes ?? NaN) - 1) < 1e-9,
    ]);
    expect(predicted.slice(0, 2)).toEqual([
      [true, true],
      [true, true],
    ]);
    for (const each of predicted.slice(2)) expect(each).toEqual([false, true]);
    expect(predicted.length).toBeGreaterThan(2);
  });

  it('predicts what it tries next once it has a fit', async () => {
    const { ceiling } = await search({ ...lstm, memoryBytes: 8000 * MB });
    const predicted = ceiling.trials.filter(({ predictedPeakBytes }) => predictedPeakBytes !== null);
    expect(predicted.length).toBeGreaterThan(0);
    for (const { batchSize, predictedPeakBytes } of predicted)
      expect(predictedPeakBytes).toBeCloseTo(lstm.peakBytes(batchSize), -1);
  });
});

describe('findCeiling under bounds', () => {
  it.each([
    [{ max: 100 }, 100, 'maximum', 'max is 100'],
    [{ datasetSize: 90 }, 90, 'dataset', 'there are 90 examples'],
    [{ max: 100, multipleOf: 32 }, 96, 'maximum', 'max is 100'],
    [
      { staticLimits: [{ batchSize: 70, reason: 'a buffer holds 70' }] },
      70,
      'deviceLimit',
      'a buffer holds 70',
    ],
  ] as const)('%j', async (bounds, batchSize, limitedBy, reason) => {
    const { ceiling, sizes } = await search({ ...cnn, memoryBytes: 8000 * MB }, bounds);
    expect(ceiling).toMatchObject({ batchSize, limitedBy });
    expect(ceiling.reason).toContain(reason);
    expect(Math.max(...sizes)).toBe(batchSize);
  });

  it('tries only multiples', async () => {
    const { sizes, ceiling } = await search({ ...cnn, memoryBytes: 400 * MB }, { multipleOf: 32 });
    expect(sizes.map((size) => size % 32)).toEqual(sizes.map(() => 0));
    expect(ceiling.batchSize).toBe(288);
  });

  it('finds nothing, without a trial, where the device allows too few', async () => {
    const { ceiling, sizes } = await search(cnn, {
      min: 8,
      staticLimits: [{ batchSize: 4, reason: 'a buffer holds 4 examples' }],
    });
    expect(ceiling).toMatchObject({ batchSize: null, limitedBy: 'deviceLimit', trials: [] });
    expect(ceiling.reason).toBe('No size trained: a buffer holds 4 examples, and at least 8 were asked for.');
    expect(sizes).toEqual([]);
  });

  it('ends after its trials', async () => {
    const { ceiling, sizes } = await search({ ...lstm, memoryBytes: 8000 * MB }, { maxTrials: 2 });
    expect(sizes).toHaveLength(2);
    expect(ceiling).toMatchObject({ batchSize: sizes[1], limitedBy: 'searchBudget' });
  });

  it('ends once it is said to be enough, and says nothing of a limit', async () => {
    const seen: number[] = [];
    const isEnough = (trials: readonly TrialRecord[]) => seen.push(trials.length) === 2;
    const { ceiling, sizes } = await search({ ...lstm, memoryBytes: 8000 * MB }, { isEnough });
    expect(seen).toEqual([1, 2]);
    expect(sizes).toHaveLength(2);
    expect(ceiling).toMatchObject({ batchSize: sizes[1], limitedBy: 'searchBudget' });
    const bounded = await search({ ...lstm, memoryBytes: 8000 * MB }, { max: 16, isEnough: () => true });
    expect(bounded.ceiling).toMatchObject({ batchSize: 16, limitedBy: 'maximum' });
  });

  it('begins no trial after its seconds', async () => {
    let seconds = 0;
    const { trial } = simulate({ ...lstm, memoryBytes: 8000 * MB });
    const slow: Trial = (request) => {
      seconds += request.batchSize / 10;
      return trial(request);
    };
    const clock = () => seconds;
    const ceiling = await findCeiling(slow, { budgetBytes: 8000 * MB, clock, maxSeconds: 5 });
    expect(ceiling.limitedBy).toBe('searchBudget');
    expect(ceiling.trials.map((record) => record.seconds)).toEqual([1.6, 25.6]);
    expect(ceiling.batchSize).toBe(256);
  });

  it.each([
    [{ start: 0 }, 'start is 0'],
    [{ maxTrials: 1.5 }, 'maxTrials is 1.5'],
    [{ budgetBytes: NaN }, 'budgetBytes is NaN'],
    [{ budgetBytes: 0 }, 'budgetBytes is 0'],
    [{ safety: 1.1 }, 'safety is 1.1'],
    [{ safety: 0 }, 'safety is 0'],
    [{ resolution: 0 }, 'resolution is 0'],
    [{ canaryTolerance: -1 }, 'canaryTolerance is -1'],
    [{ maxSeconds: 5 }, 'maxSeconds needs a clock'],
  ])('refuses %j', async (options, message) => {
    await expect(findCeiling(simulate(cnn).trial, options)).rejects.toThrow(RangeError);
    await expect(findCeiling(simulate(cnn).trial, options)).rejects.toThrow(message);
  });
});

describe('findCeiling tells', () => {
  it('each trial as it ends', async () => {
    const seen: TrialRecord[] = [];
    const { ceiling } = await search(
      { ...cnn, memoryBytes: 400 * MB },
      { onTrial: (trial) => void seen.push(trial) },
    );
    expect(seen).toEqual(ceiling.trials);
  });

  it('a trial the largest size that is known to be right, for its parts', async () => {
    const { trial } = simulate({ ...cnn, memoryBytes: 400 * MB });
    const asked: (readonly (number | null)[])[] = [];
    const noted: Trial = (request) => {
      asked.push([request.batchSize, request.referenceSize]);
      return trial(request);
    };
    await findCeiling(noted, { budgetBytes: 400 * MB });
    expect(asked).toEqual([
      [16, 8],
      [123, 16],
      [285, 123],
    ]);
    asked.length = 0;
    await findCeiling(noted, { budgetBytes: 400 * MB, start: 1, max: 1 });
    expect(asked).toEqual([[1, null]]);
  });

  it('no more once it is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const { trial, sizes } = simulate({ ...cnn, memoryBytes: 400 * MB });
    const search = findCeiling(trial, {
      budgetBytes: 400 * MB,
      signal: controller.signal,
      onTrial: () => controller.abort(reason),
    });
    await expect(search).rejects.toBe(reason);
    expect(sizes).toEqual([16]);
  });

  it('the reason of the abort, not the error that a trial makes of it', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const trial: Trial = () => {
      controller.abort(reason);
      throw new Error('interrupted');
    };
    await expect(findCeiling(trial, { signal: controller.signal })).rejects.toBe(reason);
  });
});
