import type { GradientMoments, RunEvents } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../src/batch-history.ts';
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

const step = (
  at: number,
  batchSize: number,
  options: { scale?: number; measured?: boolean; code?: string | undefined } = {},
) => {
  const { scale = 1, measured = false, code = 'test' } = options;
  return {
    step: at,
    epoch: 0,
    examples: at * batchSize,
    learningRateScale: scale,
    reason: { ...reason('Steady.'), code },
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
    expect(history.totals).toEqual(runFinished.totals);
    expect(history.summary().split('\n')).toEqual([
      'Batchwise: 12,345 examples in 90 updates, 3.9 s training and 80 ms tuning (2.0 %).',
      'Batch 32 → 64; learning rate 1.5 times yours at the end.',
      'Pays.',
      expect.stringMatching(/^Gradient noise scale about 200 examples \(\d+ to \d+\)\.$/),
      'To start there the next time: batchSize 64, and the learning rate that suits this size.',
    ]);
  });

  /** What it says of the next run, after steps of these sizes, each at twice what the rule has. */
  function advice(steps: readonly (readonly [size: number, code?: string])[]): string | undefined {
    const history = new Recorder();
    history.beforehand.rateOfSize = (size) => (size > 1024 ? undefined : Math.sqrt(size / 32));
    history.onRunStarted({ run, plan: plan(32), reason: reason('Begins.') });
    for (const [at, [size, code]] of steps.entries()) {
      history.onStepFinished(step(at + 1, size, { scale: 2 * Math.sqrt(size / 32), code }));
      const to = { ...plan(size), reason: { ...reason('Pays.'), code: code ?? 'test' } };
      history.onPlanChanged({ step: at, epoch: 0, examples: at, from: plan(32), to, reason: to.reason });
    }
    history.onRunFinished(runFinished);
    return history.summary().split('\n')[3];
  }

  it('advises the size that the run settled at, and the rate that its rule has for it', () => {
    expect(advice([[32], [128]])).toBe(
      'To start there the next time: batchSize 128 at 2 times the learning rate.',
    );
    expect(advice([[32], [128], [64, 'explore']])).toBe(
      'To start there the next time: batchSize 128 at 2 times the learning rate.',
    );
    expect(advice([[32], [512, 'explore']])).toBeUndefined();
    expect(advice([[128], [32]])).toBeUndefined();
  });

  it('names no rate where it knows none, or where weights had to be put back', () => {
    expect(advice([[2048]])).toBe(
      'To start there the next time: batchSize 2,048, and the learning rate that suits this size.',
    );
    for (const code of ['exploded', 'non-finite'])
      expect(advice([[32], [256, code], [128]])).toBe(
        'To start there the next time: batchSize 128, and the learning rate that suits this size.',
      );
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
