import type { GradientMoments, RunEvents } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { batchHistory, tensorBoardObserver, tfvisObserver } from '../src/index.ts';

const plan = (batchSize: number, learningRateScale = 1) => ({
  batchSize,
  microBatchSize: batchSize,
  learningRateScale,
});
const reason = (text: string) => ({ code: 'test', text, numbers: {} });

/** |G|² = 2 and tr Σ = 400, with a little noise: a noise scale of about 200 examples. */
const gradient = (wobble: number): GradientMoments => ({
  sizes: [16, 16],
  squaredNorms: [2 + 25 + wobble, 2 + 25 - wobble],
  crossProduct: 2 * 256,
});

const step = (at: number, batchSize: number, options: { scale?: number; measured?: boolean } = {}) => {
  const { scale = 1, measured = false } = options;
  return {
    step: at,
    epoch: 0,
    examples: at * batchSize,
    learningRateScale: scale,
    reason: reason('Steady.'),
    outcome: {
      kind: 'applied',
      plan: plan(batchSize, scale),
      examples: batchSize,
      microBatchSize: batchSize,
      totalExamples: at * batchSize,
      warm: true,
      seconds: 0.5,
      ...(measured && { gradient: gradient(at) }),
    },
  } as const;
};

const epochFinished = (
  epoch: number,
  epochExamples: number,
  epochSteps: number,
): RunEvents['epochFinished'] => ({
  step: 9,
  epoch,
  examples: 9,
  complete: true,
  epochExamples,
  epochSteps,
  seconds: 3,
  trainLoss: 1,
  validation: undefined,
});

const runFinished: RunEvents['runFinished'] = {
  step: 90,
  epoch: 2,
  examples: 12_345,
  status: 'completed',
  stoppedBy: 'epochs',
  totals: { seconds: 5, trainingSeconds: 3.92, tuningSeconds: 0.08, evaluationSeconds: 1 },
  memory: undefined,
};

const run = { datasetSize: 100, plannedExamples: 200, seed: 0 };

describe('batchHistory', () => {
  function recorded() {
    const history = batchHistory();
    void history.onRunStarted?.({ run, plan: plan(32), reason: reason('Begins.') });
    for (let at = 1; at <= 4; at += 1) void history.onStepFinished?.(step(at, 32, { measured: true }));
    void history.onEpochFinished?.(epochFinished(0, 128, 4));
    const from = plan(32);
    const progress = { step: 4, epoch: 1, examples: 128 };
    void history.onPlanChanged?.({ ...progress, from, to: plan(64), reason: reason('Pays.') });
    void history.onStepFinished?.(step(5, 64, { scale: 1.5 }));
    void history.onEpochFinished?.(epochFinished(1, 64, 2));
    return history;
  }

  it('has the form of a History, with means per epoch', () => {
    const { epoch, history, changes, noise } = recorded();
    expect(epoch).toEqual([0, 1]);
    expect(history).toMatchObject({
      batchSize: [32, 32],
      learningRateScale: [1, 1.5],
      stepSeconds: [0.75, 1.5],
    });
    if (!noise.known) throw new Error('four samples');
    expect(noise.noiseScale).toBeCloseTo(200, 6);
    expect(history.noiseScale).toEqual([noise.noiseScale, noise.noiseScale]);
    expect(changes).toEqual([
      { step: 0, examples: 0, epoch: 0, ...plan(32), reason: reason('Begins.') },
      { step: 4, examples: 128, epoch: 1, ...plan(64), reason: reason('Pays.') },
    ]);
  });

  it('says in a few lines what ran, why, what it cost and where to begin the next time', () => {
    const history = recorded();
    expect(history.summary()).toBe('Batchwise: the run has not ended yet.');
    void history.onRunFinished?.(runFinished);
    expect(history.totals).toBe(runFinished.totals);
    expect(history.summary().split('\n')).toEqual([
      'Batchwise: 12,345 examples in 90 updates, 3.9 s training and 80 ms tuning (2.0 %).',
      'Batch 32 → 64; learning rate 1.5 times yours at the end.',
      'Pays.',
      expect.stringMatching(/^Gradient noise scale about 200 examples \(\d+ to \d+\)\.$/),
      'To start there the next time: batchSize 64 at 1.5 times the learning rate.',
    ]);
  });

  it('begins anew with each run', () => {
    const history = recorded();
    void history.onRunFinished?.(runFinished);
    void history.onRunStarted?.({ run, plan: plan(8), reason: reason('Again.') });
    expect([history.epoch, history.changes.length, history.totals]).toEqual([[], 1, undefined]);
    expect(history.noise.samples).toBe(0);
    void history.onRunFinished?.(runFinished);
    expect(history.summary().split('\n').slice(1)).toEqual([
      'Batch 8; learning rate 1 times yours at the end.',
      'Again.',
    ]);
  });
});

describe('charts', () => {
  it('TensorBoard gets each step, and the noise scale once it is known', () => {
    const written: [string, number, number][] = [];
    let flushed = 0;
    const observer = tensorBoardObserver({
      scalar: (name, value, at) => void written.push([name, value, at]),
      flush: () => void (flushed += 1),
    });
    void observer.onRunStarted?.({ run, plan: plan(32), reason: reason('Begins.') });
    for (let at = 1; at <= 3; at += 1)
      void observer.onStepFinished?.(step(at, 32, { scale: 1.25, measured: true }));
    void observer.onRunFinished?.(runFinished);
    expect(written.slice(0, 3)).toEqual([
      ['batchwise/batch_size', 32, 1],
      ['batchwise/learning_rate_scale', 1.25, 1],
      ['batchwise/step_seconds', 0.5, 1],
    ]);
    expect(written).toHaveLength(10);
    expect(written.at(-1)?.[0]).toBe('batchwise/noise_scale');
    expect(written.at(-1)?.[1]).toBeCloseTo(200, 6);
    expect(flushed).toBe(1);
  });

  it('tfjs-vis gets a line of steps', async () => {
    const drawn: unknown[][] = [];
    const surface = { name: 'Batch size', tab: 'Training' };
    const observer = tfvisObserver({ render: { linechart: (...call) => drawn.push(call) } }, surface);
    await observer.onRunStarted?.({ run, plan: plan(32), reason: reason('Begins.') });
    const [from, to] = [plan(32), plan(64)];
    await observer.onPlanChanged?.({ step: 4, epoch: 0, examples: 128, from, to, reason: reason('Pays.') });
    await observer.onEpochFinished?.({ ...epochFinished(0, 128, 4), examples: 320 });
    const points = [
      { x: 0, y: 32 },
      { x: 128, y: 32 },
      { x: 128, y: 64 },
      { x: 320, y: 64 },
    ];
    const axes = { xLabel: 'examples', yLabel: 'batch size' };
    expect(drawn).toEqual([
      [surface, { values: [points.slice(0, 3)], series: ['batch size'] }, axes],
      [surface, { values: [points], series: ['batch size'] }, axes],
    ]);
  });
});
