import type { Observer, TimeTotals } from '@batchwise/core';
import { fakeClock } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise, fit, type BatchHistory, type KnownCeiling } from '../src/index.ts';
import { duration } from '../src/format.ts';
import { always, classifier, loadTf, tensorsOf, type Model } from './support.ts';

/*
 * What is spent before the first step is spent on tuning.
 */
const tf = await loadTf();
const COUNT = 1600;
/** As many as make a trial pay, and a few where nothing is tried. */
const [LONG, SHORT] = [25, 2];
const { xs, ys } = tensorsOf(tf, COUNT);

/** Each time that the loss is computed a second goes by, in trials and in the training. */
function timedModel(clock: ReturnType<typeof fakeClock>): Model {
  const optimizer = tf.train.adam(0.01);
  const model = classifier(tf, optimizer);
  const loss = (target: never, output: never) => {
    clock.advance(1);
    return tf.metrics.categoricalCrossentropy(target, output);
  };
  model.compile({ optimizer, loss: loss as never });
  return model;
}

/** Grows to 64 after the first epoch, which makes it worth a look at memory. */
const GROWING = {
  policy: 'schedule',
  growth: { milestones: [{ examples: COUNT, batchSize: 64 }] },
  batchSize: 8,
  memoryBytes: 1e9,
  summary: false,
} as const;

/** When the run began, and what it says of its own time. */
function watched(clock: () => number) {
  const seen: { startedAt?: number; totals?: TimeTotals } = {};
  const observer: Observer = {
    name: 'times',
    onRunStarted: () => void (seen.startedAt = clock()),
    onRunFinished: ({ totals }) => void (seen.totals = totals),
  };
  return { seen, observer };
}

type Tuner = Partial<Parameters<typeof batchwise>[1]>;

const WAYS: Readonly<Record<string, (model: Model, epochs: number, tuner: Tuner) => Promise<BatchHistory>>> =
  {
    fit: async (model, epochs, { batchSize, ...tuner }) => {
      const args = { tf, epochs, verbose: 0, ...(batchSize !== undefined && { batchSize }) };
      return (await fit(model, xs, ys, { ...args, tuner: tuner as never })).batches;
    },
    fitDataset: async (model, epochs, tuner) => {
      const tuned = batchwise(tf, { ...tuner, source: { xs, ys } });
      await model.fitDataset(tuned.dataset, { epochs, verbose: 0, callbacks: [tuned.callback] });
      return tuned.history;
    },
  };

describe.each(Object.entries(WAYS))('%s counts as tuning', (_name, trained) => {
  it('the trials of what fits in memory', async () => {
    const clock = fakeClock();
    const { seen, observer } = watched(clock);
    const tuner = { ...GROWING, observers: [observer], clock };
    const history = await trained(timedModel(clock), LONG, tuner);
    const { totals, memory } = history;
    expect(memory?.text).toContain('the largest batch, 64');
    const before = seen.startedAt ?? NaN;
    expect(before).toBeGreaterThanOrEqual(5);
    expect(totals?.seconds).toBe(clock());
    expect(totals?.tuningSeconds).toBe((seen.totals?.tuningSeconds ?? NaN) + before);
    expect(totals?.trainingSeconds).toBe(seen.totals?.trainingSeconds);
    expect(history.summary()).toContain(` and ${duration(totals?.tuningSeconds ?? NaN)} tuning`);
  });

  it('what finds out what fits, where the user gives that', async () => {
    const clock = fakeClock();
    const { seen, observer } = watched(clock);
    const ceiling = (): KnownCeiling => {
      clock.advance(3);
      return { batchSize: 64 };
    };
    const controller = always({ batchSize: 400 });
    const history = await trained(timedModel(clock), SHORT, {
      controller,
      ceiling,
      observers: [observer],
      clock,
    });
    expect(seen.startedAt).toBe(3);
    expect(history.totals?.tuningSeconds).toBe((seen.totals?.tuningSeconds ?? NaN) + 3);
    expect(history.totals?.seconds).toBe(clock());
  });

  it('the first copy of the weights', async () => {
    const clock = fakeClock();
    const controller = {
      ...always({ batchSize: 400 }),
      get restores() {
        // Asked for where the copy is made.
        clock.advance(2);
        return true;
      },
    };
    const history = await trained(timedModel(clock), SHORT, { controller, ceiling: false, clock });
    expect(history.totals?.tuningSeconds).toBe(clock() - SHORT * (COUNT / 400));
    expect(history.totals?.seconds).toBe(clock());
  });
});
