import type { BatchPlan, Observer, RunInfo } from '@batchwise/core';
import { fakeClock } from '@batchwise/testing';
import { policy, replay, runTracer } from '@batchwise/tuner';
import { describe, expect, it } from 'vitest';
import { fit, type FitArgs } from '../src/index.ts';
import { always, classifier, loadTf, tensorsOf, type Model } from './support.ts';

/*
 * What the controller of fit is told of the run before its first step.
 */
const tf = await loadTf();

/** Trains a model with a controller that keeps what it is told at its start. */
async function toldTo(model: Model, args: Partial<FitArgs> = {}): Promise<RunInfo[]> {
  const told: RunInfo[] = [];
  const steady = always({ batchSize: 12 });
  const controller = {
    ...steady,
    start: (run: RunInfo) => {
      told.push(run);
      return steady.start(run);
    },
  };
  const observer: Observer = { name: 'run', onRunStarted: ({ run }) => void told.push(run) };
  const { xs, ys } = tensorsOf(tf, 48);
  const tuner = { controller, observers: [observer], seed: 7 };
  await fit(model, xs, ys, { tf, batchSize: 12, verbose: 0, epochs: 3, ...args, tuner });
  return told;
}

describe('the controller of fit', () => {
  it('is told what Adam remembers, and so are observers', async () => {
    const model = classifier(tf, tf.train.adam(0.01, 0.9, 0.995));
    const run = {
      datasetSize: 48,
      plannedExamples: 144,
      seed: 7,
      secondMoment: { decay: 0.995, updates: 0 },
    };
    expect(await toldTo(model)).toEqual([run, run]);
    const later = {
      ...run,
      plannedExamples: 48,
      secondMoment: { decay: 0.995, updates: 12 },
    };
    expect(await toldTo(model, { initialEpoch: 2 })).toEqual([later, later]);
  });

  it('is told of no such memory of SGD', async () => {
    const run = { datasetSize: 48, plannedExamples: 144, seed: 7, secondMoment: undefined };
    expect(await toldTo(classifier(tf, 'sgd'))).toEqual([run, run]);
  });
});

describe.each([0, 1])('a fit with Adam from epoch %d on', (initialEpoch) => {
  const COUNT = 4096;
  const EPOCHS = 24;
  const { xs, ys } = tensorsOf(tf, COUNT);

  it('replays to the same plans, which make up for smaller batches, and advises the rate without that', async () => {
    const clock = fakeClock();
    const tracer = runTracer();
    const plans: BatchPlan[] = [];
    const watch: Observer = {
      name: 'plans',
      onStepFinished: ({ outcome }) => void plans.push(outcome.plan),
    };
    const callbacks = {
      onBatchBegin: (_batch: number, logs?: { size?: number }) =>
        clock.advance(0.0004 + 0.00002 * (logs?.size ?? NaN)),
    };
    const { batches } = await fit(classifier(tf, tf.train.adam(0.01)), xs, ys, {
      tf,
      epochs: EPOCHS,
      initialEpoch,
      verbose: 0,
      callbacks: callbacks as never,
      tuner: { ceiling: false, observers: [tracer.observer, watch], clock },
    });
    const trace = tracer.trace();
    if (!trace) throw new Error('a trace');
    const decisions = replay(policy('goodput', { optimizer: 'adam' }), trace);
    expect(decisions.slice(0, -1).map(({ plan }) => plan)).toEqual(plans);
    const beyondRule = plans.map(
      ({ batchSize, learningRateScale }) => learningRateScale / Math.sqrt(batchSize / 32),
    );
    expect(Math.max(...beyondRule)).toBeGreaterThan(1.2);
    const settled = plans.at(-1)?.batchSize ?? NaN;
    expect(settled).toBe(128);
    expect(batches.summary()).toContain(
      'To start there the next time: batchSize 128 at 2 times the learning rate.',
    );
  });
});
