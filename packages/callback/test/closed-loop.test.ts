import { tensorSource, tfjsBackend } from '@batchwise/backend';
import { train, type AppliedStep, type Observer } from '@batchwise/core';
import { shuffled } from '@batchwise/sampler';
import { fakeClock } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise, fit } from '../src/index.ts';
import { always, classifier, loadTf, tensorsOf } from './support.ts';

const tf = await loadTf();

describe('on a machine where a step takes 0.4 ms and 20 µs per example', () => {
  const COUNT = 4096;
  const { xs, ys } = tensorsOf(tf, COUNT);
  const clock = fakeClock();
  /** Moves the clock as far as the batch takes. */
  class Machine extends tf.Callback {
    override async onBatchEnd(_batch: number, logs?: { size?: number }) {
      clock.advance(0.0004 + 0.00002 * (logs?.size ?? NaN));
    }
  }
  const tuner = { policy: 'knee', optimizer: 'sgd', summary: false, clock } as const;
  const epochs = 20;
  const expectKnee = (changes: ReturnType<typeof batchwise>['history']['changes']) => {
    // 8 α/β = 160, and the nearest power of two
    expect(changes.at(-1)).toMatchObject({ batchSize: 128, reason: { code: 'knee' } });
    expect(changes[0]).toMatchObject({ batchSize: 32, reason: { code: 'start' } });
  };

  it('fitDataset goes to the knee, with the rate', async () => {
    const model = classifier(tf, tf.train.sgd(0.05));
    const tuned = batchwise(tf, { source: { xs, ys }, ...tuner });
    await model.fitDataset(tuned.dataset, { epochs, verbose: 0, callbacks: [new Machine(), tuned.callback] });
    expectKnee(tuned.history.changes);
    expect(tuned.history.history.learningRateScale.at(-1)).toBe(4);
    expect(tuned.history.history.batchSize.at(-1)).toBe(128);
    const totals = tuned.history.totals;
    expect((totals?.tuningSeconds ?? NaN) / (totals?.trainingSeconds ?? NaN)).toBeLessThan(0.02);
  });

  it('fit does', async () => {
    const model = classifier(tf, tf.train.sgd(0.05));
    // The loop of core takes the time of its own steps, so the machine works where the data come from.
    const callbacks = {
      onBatchBegin: (_batch: number, logs?: { size?: number }) =>
        clock.advance(0.0004 + 0.00002 * (logs?.size ?? NaN)),
    };
    const { batches } = await fit(model, xs, ys, {
      tf,
      epochs,
      verbose: 0,
      tuner,
      callbacks: callbacks as never,
    });
    expectKnee(batches.changes);
  });
});

describe('what measuring adds to a long fitDataset with goodput', () => {
  const COUNT = 4096;
  const EPOCHS = 24;
  const { xs, ys } = tensorsOf(tf, COUNT);
  const [fixedSeconds, perExample] = [0.0004, 0.00002];
  const usual = (examples: number): number => fixedSeconds + perExample * examples;

  /** One layer, for thousands of steps. */
  function small() {
    const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 3, inputShape: [4], kernelInitializer })],
    });
    model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
    return model;
  }

  /** Goodput where each part of a batch costs one launch, and reading its gradients `reading` seconds. */
  async function run(reading: number, sizes: { readonly maxBatchSize?: number }) {
    const clock = fakeClock();
    let planned = 32;
    class Machine extends tf.Callback {
      override async onBatchEnd(_batch: number, { size = NaN }: { size?: number } = {}) {
        clock.advance(usual(size) + (size < planned ? reading / 2 : 0));
      }
    }
    const steps: AppliedStep[] = [];
    const watch: Observer = {
      name: 'watch',
      onStepFinished: ({ outcome }) => void steps.push(outcome),
      onPlanChanged: ({ to }) => void (planned = to.batchSize),
    };
    const tuned = batchwise(tf, {
      source: { xs, ys },
      policy: 'goodput',
      optimizer: 'sgd',
      minBatchSize: 32,
      ceiling: false,
      observers: [watch],
      clock,
      ...sizes,
    });
    const callbacks = [new Machine(), tuned.callback];
    await small().fitDataset(tuned.dataset, { epochs: EPOCHS, verbose: 0, callbacks });
    const trained = steps.reduce((sum, { examples }) => sum + usual(examples), 0);
    const measured = steps.flatMap(({ gradient }, i) => (gradient ? [i] : []));
    return { steps, measured, share: (clock() - trained) / clock(), totals: tuned.history.totals };
  }

  it.each([
    { what: 'two fifths of a step', reading: 0 },
    { what: 'five steps', reading: 0.005 },
  ])('is below 2 percent, where measuring takes $what', async ({ reading }) => {
    const { steps, measured, share, totals } = await run(reading, { maxBatchSize: 32 });
    expect(steps).toHaveLength((COUNT * EPOCHS) / 32);
    const extra = fixedSeconds + reading;
    expect(share).toBeCloseTo(
      (measured.length * extra) / (steps.length * usual(32) + measured.length * extra),
      9,
    );
    expect(share).toBeLessThan(0.02);
    expect(totals?.tuningSeconds).toBeCloseTo(measured.length * extra, 9);
    // After four, eight and so many more steps for a first estimate, then as seldom as half a percent of the time asks for.
    const interval = Math.ceil(extra / (0.005 * usual(32)));
    const gaps = measured.slice(1).map((step, i) => step - (measured[i] ?? NaN));
    const early = gaps.filter((gap) => gap < interval);
    expect(early.length).toBeGreaterThan(1);
    expect(gaps).toEqual([
      ...[4, 8, 16, 32, 64].slice(0, early.length),
      ...Array<number>(gaps.length - early.length).fill(interval),
    ]);
  });

  it('is below 2 percent where the batch grows on the way', async () => {
    const { steps, measured, share } = await run(0.002, {});
    expect(Math.max(...steps.map(({ plan }) => plan.batchSize))).toBeGreaterThan(32);
    expect(measured.length).toBeGreaterThan(6);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(0.02);
  });
});

describe('observers of fitDataset', () => {
  const told = () => {
    const events: unknown[] = [];
    const keep = (name: string) => (event: object) => {
      const { step, epoch, examples, complete, epochExamples, epochSteps, status, stoppedBy } =
        event as Record<string, unknown>;
      events.push([name, step, epoch, examples, complete, epochExamples, epochSteps, status, stoppedBy]);
    };
    const observer: Observer = {
      name: 'all',
      onRunStarted: keep('runStarted'),
      onStepFinished: keep('stepFinished'),
      onPlanChanged: keep('planChanged'),
      onEpochFinished: keep('epochFinished'),
      onRunFinished: keep('runFinished'),
    };
    return { events, observer };
  };
  const { xs, ys } = tensorsOf(tf, 50);

  it('are told what those of the loop of core are told', async () => {
    const [looped, fitted] = [told(), told()];
    const controller = always({ batchSize: 16 }, ['loss', 'gradient']);
    await train({
      backend: tfjsBackend(tf, classifier(tf, 'sgd')),
      source: tensorSource(shuffled(50, { seed: 0 }), { xs, ys }),
      controller,
      observers: [looped.observer],
      stop: { epochs: 2 },
    });
    const tuned = batchwise(tf, { source: { xs, ys }, controller, observers: [fitted.observer] });
    const model = classifier(tf, 'sgd');
    await model.fitDataset(tuned.dataset, { epochs: 2, verbose: 0, callbacks: [tuned.callback] });
    // The loop has counted the last epoch when it ends; TensorFlow.js has no number for what follows it.
    const withoutLastEpoch = (events: unknown[]) =>
      events.map((event) =>
        Array.isArray(event) && event[0] === 'runFinished' ? event.toSpliced(2, 1) : event,
      );
    expect(withoutLastEpoch(fitted.events)).toEqual(withoutLastEpoch(looped.events));
    expect(fitted.events).toHaveLength(1 + 8 + 2 + 1);
  });

  it('are told of a failure', async () => {
    const { events, observer } = told();
    const tuned = batchwise(tf, { source: { xs, ys }, policy: 'fixed', observers: [observer] });
    class Failing extends tf.Callback {
      override async onEpochEnd() {
        throw new Error('planted');
      }
    }
    const callbacks = [tuned.callback, new Failing()];
    const training = classifier(tf, 'sgd').fitDataset(tuned.dataset, { epochs: 2, verbose: 0, callbacks });
    await expect(training).rejects.toThrow('planted');
    expect(events.at(-1)).toEqual([
      'runFinished',
      2,
      0,
      50,
      undefined,
      undefined,
      undefined,
      'failed',
      'error',
    ]);
  });
});
