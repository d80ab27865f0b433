import type { BatchController, Json, Measurement, Observer } from '@batchwise/core';
import { expectNoLeak, fakeClock } from '@batchwise/testing';
import { withGuard } from '@batchwise/tuner';
import { describe, expect, it } from 'vitest';
import { batchwise, type BatchwiseOptions } from '../src/index.ts';
import { always, classifier, loadTf, tensorsOf } from './support.ts';

/*
 * With batchesPerEpoch TensorFlow.js validates right after the last batch of an epoch, without asking for another one.
 */
const tf = await loadTf();
const COUNT = 36;
const HELD = 30;
const source = tensorsOf(tf, COUNT);
const held = tensorsOf(tf, HELD, 2);
const validationData = [held.xs, held.ys] as const;

/** `seen` is told of each loss that is computed, by the number of its examples, and may answer another. */
function modelSeenBy(seen: (examples: number) => number | undefined) {
  const optimizer = tf.train.sgd(0.1);
  const model = classifier(tf, optimizer);
  const loss = (target: { shape: number[] }, output: never) => {
    const real = tf.metrics.categoricalCrossentropy(target as never, output);
    const factor = seen(target.shape[0] ?? NaN);
    return factor === undefined ? real : tf.mul(real, factor);
  };
  model.compile({ optimizer, loss: loss as never });
  return model;
}

describe('the time of a validation', () => {
  /** A batch takes a second, a validation ten, and the controller half a one to think. */
  async function timed(batchSize: number, measure: readonly Measurement[], epochs = 2) {
    const clock = fakeClock();
    const seconds: (number | undefined)[] = [];
    const steady = always({ batchSize }, measure);
    const controller: BatchController<Json> = {
      ...steady,
      next(step, state) {
        clock.advance(0.5);
        seconds.push(step.seconds);
        return steady.next(step, state);
      },
    };
    const epochSeconds: number[] = [];
    const observer: Observer = {
      name: 'epochs',
      onEpochFinished: (epoch) => void epochSeconds.push(epoch.seconds),
    };
    const observers = [observer];
    const tuned = batchwise(tf, { source, controller, observers, ceiling: false, summary: false, clock });
    const model = modelSeenBy((examples) => void clock.advance(examples === HELD ? 10 : 1));
    await model.fitDataset(tuned.dataset, {
      epochs,
      batchesPerEpoch: 3,
      validationData: [...validationData],
      verbose: 0,
      callbacks: [tuned.callback],
    });
    expect(tuned.history.totals?.seconds).toBe(clock());
    return { seconds, epochSeconds, totals: tuned.history.totals };
  }

  it('is not in that of the last step, nor is what the step costs in that of the validation', async () => {
    expect(await timed(12, ['loss', 'seconds'])).toEqual({
      seconds: [1, 1, 1, 1, 1, 1],
      epochSeconds: [4.5, 4.5],
      totals: { seconds: 29, trainingSeconds: 6, tuningSeconds: 3, evaluationSeconds: 20 },
    });
  });

  it('is not in that of a measured step whose halves are before and after it', async () => {
    expect(await timed(24, ['loss', 'seconds', 'gradient'])).toEqual({
      seconds: [2, 2, 2],
      epochSeconds: [3.5, 4],
      totals: { seconds: 27.5, trainingSeconds: 6, tuningSeconds: 1.5, evaluationSeconds: 20 },
    });
  });

  it('is not in that of a half that is left over at the end', async () => {
    expect(await timed(24, ['loss', 'seconds', 'gradient'], 1)).toEqual({
      seconds: [2, 1],
      epochSeconds: [3.5],
      totals: { seconds: 14, trainingSeconds: 3, tuningSeconds: 1, evaluationSeconds: 10 },
    });
  });
});

describe('weights that a controller gives up with the last step of an epoch', () => {
  /** Asks for the weights from before the first step after the third. */
  function restoring(): BatchController<Json> {
    const decide = (step: number) => ({
      plan: { batchSize: 12, microBatchSize: 12, learningRateScale: 1 },
      reason: { code: `at-${step}`, text: 'It was its turn.', numbers: { step } },
      measure: ['loss'] as const,
      state: step,
      ...(step === 3 && { snapshot: 'restore' as const }),
    });
    return {
      ...always({ batchSize: 12 }),
      restores: true,
      start: () => decide(0),
      next: (_step, step) => decide(Number(step) + 1),
    };
  }

  /** One epoch of three batches, the third with a loss of NaN on demand. */
  async function validated(options: Partial<BatchwiseOptions>, more: { breaks?: boolean; counted: boolean }) {
    let batches = 0;
    const model = modelSeenBy((examples) => {
      if (examples !== HELD) batches += 1;
      return more.breaks && examples !== HELD && batches === 3 ? NaN : undefined;
    });
    const atFirst = (model.evaluate(held.xs, held.ys) as ReturnType<typeof tf.scalar>).dataSync()[0];
    const codes: string[] = [];
    const observer: Observer = { name: 'codes', onPlanChanged: ({ reason }) => void codes.push(reason.code) };
    const tuned = batchwise(tf, { source, observers: [observer], summary: false, ...options });
    const { history } = await model.fitDataset(tuned.dataset, {
      epochs: 1,
      ...(more.counted && { batchesPerEpoch: 3 }),
      validationData: [...validationData],
      verbose: 0,
      callbacks: [tuned.callback],
    });
    return { atFirst, validation: history['val_loss'], codes };
  }

  it.each([true, false])('are put back before it is validated (batchesPerEpoch: %s)', async (counted) => {
    const { atFirst, validation, codes } = await validated({ controller: restoring() }, { counted });
    expect(codes).toEqual(['at-3']);
    expect(validation).toEqual([atFirst]);
    const steady = await validated({ controller: always({ batchSize: 12 }) }, { counted });
    expect(steady.validation?.[0]).toBeLessThan(steady.atFirst ?? NaN);
  });

  it.each([true, false])('for a loss of NaN as well (batchesPerEpoch: %s)', async (counted) => {
    const controller = withGuard(always({ batchSize: 12 }));
    const { atFirst, validation, codes } = await validated({ controller }, { counted, breaks: true });
    expect(codes).toEqual(['non-finite']);
    expect(validation).toEqual([atFirst]);
  });
});

describe('an abort in what observers are told of the last step of an epoch', () => {
  it('ends the training there, and leaves nothing on the device', async () => {
    const model = classifier(tf, tf.train.sgd(0.1));
    const signal = { aborted: false };
    const observer: Observer = {
      name: 'abort',
      onStepFinished: ({ step }) => void (signal.aborted = step === 3),
    };
    const controller = always({ batchSize: 12 });
    const tuned = batchwise(tf, { source, controller, observers: [observer], signal, summary: false });
    await expectNoLeak(tf, () =>
      model.fitDataset(tuned.dataset, {
        epochs: 2,
        batchesPerEpoch: 3,
        validationData: [...validationData],
        verbose: 0,
        callbacks: [tuned.callback],
      }),
    );
    expect(tuned.history.epoch).toEqual([0]);
    expect(tuned.history.history.batchSize).toEqual([12]);
  });
});
