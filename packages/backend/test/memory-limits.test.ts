import { findCeiling, predictPeakBytes, type Trial, type TrialOutcome } from '@batchwise/memory-probe';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it, vi } from 'vitest';
import { memoryTrial, staticLimits } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { classifier, imageClassifier, imagesOf, weightsOf } from './models.ts';
import { rowsOf } from './runs.ts';

vi.setConfig({ testTimeout: 60_000 });

/* On Dawn's null device: out of memory at 512 MiB like a real one, but it computes nothing, so there is no canary. */
const BUDGET = 512 * 2 ** 20;
const { tf, limits } = await loadEngine('webgpu', { webgpu: { dawn: ['backend=null'] } });

const images = rowsOf(imagesOf(12_000, 28));
const outcomeOf = async (trial: Trial, batchSize: number): Promise<TrialOutcome> =>
  trial({ batchSize, referenceSize: null, predictedPeakBytes: null, signal: undefined });

describe('findCeiling on a device of 512 MiB', () => {
  it.each([
    ['a CNN', { side: 28 }],
    ['a CNN with batch normalisation', { side: 28, normalised: true }],
  ])('finds the ceiling of %s without running out of memory', async (_name, options) => {
    const model = imageClassifier(tf, tf.train.adam(0.01), options);
    const trial = memoryTrial(tf, model, { source: images });
    const settings = { budgetBytes: BUDGET, canary: 'off', datasetSize: 12_000 } as const;
    const ceiling = await expectNoLeak(tf, () => findCeiling(trial, settings));
    expect(ceiling.limitedBy).toBe('memory');
    expect(ceiling.trials.map(({ verdict }) => verdict)).toEqual(ceiling.trials.map(() => 'trained'));
    expect(ceiling.trials.length).toBeLessThanOrEqual(6);
    const size = ceiling.batchSize ?? NaN;
    // 5 % more do not fit: the step is refused memory, or takes all that is kept for others first.
    const more = await outcomeOf(trial, Math.ceil(size / 0.95));
    const taken = more.kind === 'trained' ? (more.peak?.peakBytes ?? NaN) : Infinity;
    expect(taken).toBeGreaterThan(0.99 * BUDGET);
    const { fit } = ceiling;
    const half = await outcomeOf(trial, Math.round(size / 2));
    if (!fit || half.kind !== 'trained') throw new Error('no fit, or no reading');
    expect(predictPeakBytes(fit, Math.round(size / 2)) / (half.peak?.peakBytes ?? NaN)).toBeCloseTo(1, 1);
  });

  it('recovers from a trial that is out of memory', async () => {
    const model = imageClassifier(tf, tf.train.adam(0.01), { side: 28 });
    const trial = memoryTrial(tf, model, { source: images });
    const [before, tooMany, after] = [
      await outcomeOf(trial, 64),
      await expectNoLeak(tf, () => outcomeOf(trial, 12_000)),
      await outcomeOf(trial, 64),
    ];
    expect(tooMany).toMatchObject({ kind: 'tooBig', limit: 'memory' });
    expect(after).toEqual(before);
  });
});

describe('a device that is lost in a trial', () => {
  it('is replaced, and the model is as it was', async () => {
    const model = imageClassifier(tf, tf.train.adam(0.01), { normalised: true });
    const before = await weightsOf(model);
    const device = () => (tf.backend() as unknown as { device: { destroy(): void } }).device;
    const lost = device();
    let takes = 0;
    const thief = {
      ...images,
      epoch: () => ({
        take: (count: number) => {
          takes += 1;
          // The first step has begun: it has a copy to go back to.
          setTimeout(() => lost.destroy(), 0);
          return imagesOf(count, 8);
        },
      }),
    };
    const outcome = await outcomeOf(memoryTrial(tf, model, { source: thief, steps: 50 }), 64);
    expect({ outcome, takes }).toEqual({
      outcome: { kind: 'lost', message: expect.stringContaining('The GPU device was lost') },
      takes: 1,
    });
    expect(device()).not.toBe(lost);
    expect(await weightsOf(model)).toEqual(before);
    const next = memoryTrial(tf, model, { source: rowsOf(imagesOf(64, 8)) });
    expect(await outcomeOf(next, 64)).toMatchObject({ kind: 'trained' });
  });
});

describe('staticLimits', () => {
  it('knows what a buffer holds and how many examples a convolution takes', () => {
    const model = imageClassifier(tf, 'sgd', { side: 28, filters: 16 });
    const tensorBytes = limits.tensorBytes ?? NaN;
    expect(staticLimits(tf, model).map(({ batchSize }) => batchSize)).toEqual([
      Math.floor(tensorBytes / (26 * 26 * 16 * 4)),
      65_535,
      Math.floor(tensorBytes / (26 * 26 * 16 * 4)),
      Math.floor(tensorBytes / (3 * 4)),
    ]);
    const dense = staticLimits(tf, classifier(tf, 'sgd'));
    expect(dense.map(({ batchSize }) => batchSize)).toEqual(
      [tensorBytes / 24, tensorBytes / 12].map(Math.floor),
    );
  });

  it('holds: one example more is refused, whatever the memory', async () => {
    const model = imageClassifier(tf, tf.train.sgd(0.1), { side: 4, filters: 1 });
    const trial = memoryTrial(tf, model, { source: rowsOf(imagesOf(65_536, 4)) });
    expect(await outcomeOf(trial, 65_535)).toMatchObject({ kind: 'trained' });
    expect(await outcomeOf(trial, 65_536)).toMatchObject({ kind: 'tooBig', limit: 'deviceLimit' });
    const ceiling = await findCeiling(trial, {
      budgetBytes: BUDGET,
      canary: 'off',
      datasetSize: 65_536,
      staticLimits: staticLimits(tf, model),
    });
    expect(ceiling).toMatchObject({ batchSize: 65_535, limitedBy: 'deviceLimit' });
    expect(ceiling.reason).toContain('may dispatch 65535 workgroups');
  });

  it('passes over shapes that are not known beforehand', () => {
    const model = tf.sequential({
      layers: [tf.layers.conv2d({ filters: 2, kernelSize: 1, inputShape: [null, null, 1] })],
    });
    expect(staticLimits(tf, model).map(({ batchSize }) => batchSize)).toEqual([65_535]);
  });
});
