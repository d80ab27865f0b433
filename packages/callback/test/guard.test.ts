import { tfjsBackend, tensorSource } from '@batchwise/backend';
import { train, type BatchController, type Json, type Observer } from '@batchwise/core';
import { sequential } from '@batchwise/sampler';
import { expectNoLeak } from '@batchwise/testing';
import { withGuard } from '@batchwise/tuner';
import { describe, expect, it } from 'vitest';
import { batchwise, createTuner } from '../src/index.ts';
import { always, classifier, furthest, loadTf, tensorsOf, weightsOf } from './support.ts';

const tf = await loadTf();
const COUNT = 48;
const { xs, ys } = tensorsOf(tf, COUNT);

/** Copies the weights before the third step, and puts them back before the sixth and after the ninth. */
function backAndForth(): BatchController<Json> {
  const plan = { batchSize: 12, microBatchSize: 12, learningRateScale: 1.5 };
  const asked = new Map([
    [2, 'take'],
    [5, 'restore'],
    [9, 'restore'],
  ] as const);
  const decide = (step: number) => {
    const snapshot = asked.get(step as 2);
    const reason = { code: `at-${step}`, text: 'It was its turn.', numbers: { step } };
    return { plan, reason, measure: ['loss'] as const, state: step, ...(snapshot && { snapshot }) };
  };
  return {
    name: 'back and forth',
    measures: ['loss'],
    restores: true,
    start: () => decide(0),
    next: (_step, step) => decide(Number(step) + 1),
    recover: () => ({ kind: 'giveUp', message: 'gave up' }),
  };
}

const changes = () => {
  const codes: string[] = [];
  const observer: Observer = {
    name: 'changes',
    onPlanChanged: ({ reason }) => void codes.push(reason.code),
    onStepFailed: ({ outcome }) => void codes.push(outcome.kind),
    onRunFinished: ({ status }) => void codes.push(status),
  };
  return { codes, observer };
};

describe('a controller that asks for weights back', () => {
  it.each([
    ['momentum', () => tf.train.momentum(0.1, 0.9)],
    ['adam', () => tf.train.adam(0.05)],
    ['sgd', () => tf.train.sgd(0.1)],
  ])('gets them in fitDataset as in the loop of core, with those of %s', async (_name, make) => {
    const [looped, fitted, plain] = [make(), make(), make()].map((made) => classifier(tf, made));
    if (!looped || !fitted || !plain) throw new Error('three models');
    const [theirs, ours] = [changes(), changes()];
    const epochs = 3;
    await train({
      backend: tfjsBackend(tf, looped),
      source: tensorSource(sequential(COUNT), { xs, ys }),
      controller: backAndForth(),
      observers: [theirs.observer],
      stop: { epochs },
    });
    const run = (model: typeof fitted, controller: BatchController<Json>, observers: Observer[] = []) => {
      const tuned = batchwise(tf, { source: { xs, ys }, shuffle: false, controller, observers });
      return model.fitDataset(tuned.dataset, { epochs, verbose: 0, callbacks: [tuned.callback] });
    };
    await run(fitted, backAndForth(), [ours.observer]);
    await run(plain, always({ batchSize: 12, learningRateScale: 1.5 }));
    expect(ours.codes).toEqual(['at-5', 'at-9', 'completed']);
    expect(ours.codes).toEqual(theirs.codes);
    expect(furthest(await weightsOf(looped), await weightsOf(fitted))).toBeLessThan(1e-6);
    expect(furthest(await weightsOf(plain), await weightsOf(fitted))).toBeGreaterThan(1e-3);
    await expectNoLeak(tf, () => run(fitted, backAndForth()));
  });
});

describe('a loss that is not finite', () => {
  /** A loss that is NaN in one step. */
  function breakingModel(at: number) {
    const model = classifier(tf, tf.train.adam(0.02));
    let calls = 0;
    model.compile({
      optimizer: tf.train.adam(0.02),
      loss: (target, output) => {
        const loss = tf.metrics.categoricalCrossentropy(target, output);
        return calls++ === at ? tf.mul(loss, NaN) : loss;
      },
    });
    return model;
  }

  it('is taken back by a guard, and the training goes on at half the rate', async () => {
    const model = breakingModel(6);
    const { codes, observer } = changes();
    const controller = withGuard(always({ batchSize: 12 }), { everySteps: 3 });
    const tuned = batchwise(tf, { source: { xs, ys }, controller, observers: [observer] });
    const { history } = await model.fitDataset(tuned.dataset, {
      epochs: 3,
      verbose: 0,
      callbacks: [tuned.callback],
    });
    expect(codes).toEqual(['nonFinite', 'non-finite', 'completed']);
    expect(history['loss']?.map((loss) => Number.isFinite(loss))).toEqual([true, false, true]);
    expect(tuned.history.history).toMatchObject({
      batchSize: [12, 12, 12],
      learningRateScale: [1, 0.5, 0.5],
    });
    // As createTuner counts it.
    expect(tuned.history.changes.at(-1)).toMatchObject({ step: 6, examples: 72 });
    expect((await weightsOf(model)).every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['gives up', 'gave up'],
    ['tries again with the weights as they are', 'always tries the batch again, but puts no weights back.'],
  ])('ends the training where a controller %s', async (what, lastWords) => {
    const model = breakingModel(6);
    const steady = always({ batchSize: 12 });
    const decision = always({ batchSize: 6 }).start({
      datasetSize: COUNT,
      plannedExamples: COUNT,
      seed: 0,
    });
    const stubborn = { ...steady, recover: () => ({ kind: 'retry', decision }) as const };
    const tuned = batchwise(tf, {
      source: { xs, ys },
      controller: what === 'gives up' ? steady : stubborn,
    });
    await expect(
      model.fitDataset(tuned.dataset, { epochs: 3, verbose: 0, callbacks: [tuned.callback] }),
    ).rejects.toMatchObject({
      code: 'nonFinite',
      message: `${lastWords} fitDataset has made the update, so go back to saved weights.`,
    });
  });
});

describe('createTuner', () => {
  /** The losses of a run that explodes after 120 steps. */
  const drive = (tuner: ReturnType<typeof createTuner>) => {
    const asked = new Set<string>();
    for (let step = 0; step < 200; step += 1) {
      const { snapshot } = tuner.next();
      if (snapshot) asked.add(snapshot);
      tuner.report({ loss: step < 120 ? 1 : 50, seconds: 0.01 });
    }
    return [...asked];
  };

  it('asks for copies of the weights only where the loop says that it makes them', () => {
    const options = { policy: 'knee', optimizer: 'sgd', datasetSize: 60_000, epochs: 20 } as const;
    expect(drive(createTuner(options))).toEqual([]);
    expect(drive(createTuner({ ...options, guard: undefined }))).toEqual([]);
    expect(drive(createTuner({ ...options, guard: true }))).toEqual(['take', 'keep', 'restore']);
  });

  const from = { batchSize: 12, microBatchSize: 12, learningRateScale: 1 };
  const hint = 'The update was made, so go back to saved weights.';

  it.each([NaN, Infinity, -Infinity])('takes a loss of %s back, as fitDataset does', (loss) => {
    const tuner = createTuner({ controller: withGuard(always({ batchSize: 12 })) });
    for (let step = 0; step < 6; step += 1) {
      tuner.next();
      expect(tuner.report({ loss: 1 })).toBeUndefined();
    }
    tuner.next();
    const change = tuner.report({ loss });
    expect(change).toMatchObject({
      from,
      to: { ...from, learningRateScale: 0.5 },
      reason: { code: 'non-finite', numbers: { batchSize: 12, learningRateScale: 1 } },
    });
    expect(tuner.state).toMatchObject({ step: 6, examples: 72 });
    expect(tuner.history.changes.slice(1)).toEqual([
      { step: 6, examples: 72, epoch: 0, ...change?.to, reason: change?.reason },
    ]);
    expect(tuner.next()).toMatchObject({ batchSize: 12, learningRateScale: 0.5, snapshot: 'restore' });
    tuner.report({ loss: 1 });
    expect(tuner.next()).toMatchObject({ learningRateScale: 0.5, snapshot: undefined });
    expect(tuner.state).toMatchObject({ step: 7, examples: 84 });
  });

  it('sees an explosion after a loss that was not finite', () => {
    const tuner = createTuner({ controller: withGuard(always({ batchSize: 12 })) });
    const changes: (string | undefined)[] = [];
    for (let step = 0; step < 200; step += 1) {
      tuner.next();
      const change = tuner.report({ loss: step === 7 ? NaN : step < 120 ? 1 : 50 });
      if (change) changes.push(change.reason.code);
    }
    expect(changes).toEqual(['non-finite', 'exploded']);
  });

  it('ends a training whose loss is not finite where no weights are kept, or those that were are no better', () => {
    const refusal = {
      code: 'nonFinite',
      message: `gave up ${hint}`,
      hint,
      cause: expect.objectContaining({ message: 'The loss of a batch of 12 examples is NaN.' }),
    };
    const bare = createTuner({ controller: always({ batchSize: 12 }) });
    bare.next();
    expect(() => bare.report({ loss: NaN })).toThrow(expect.objectContaining(refusal));
    expect(bare.state).toMatchObject({ step: 0, examples: 0 });
    const guarded = createTuner({ controller: withGuard(always({ batchSize: 12 })) });
    guarded.next();
    guarded.report({ loss: NaN });
    guarded.next();
    expect(() => guarded.report({ loss: NaN })).toThrow(
      expect.objectContaining({
        code: 'nonFinite',
        // The guard knows that it is the data, not the rate.
        message:
          'The loss of a batch of 12 examples is not a finite number at weights that were fine. ' +
          `Look for examples with NaN or infinite values. ${hint}`,
      }),
    );
  });

  it('leaves a loss that nobody asked for out of account', () => {
    const tuner = createTuner({ controller: always({ batchSize: 12 }, ['seconds']) });
    tuner.next();
    expect(tuner.report({ loss: NaN })).toBeUndefined();
    expect(tuner.state).toMatchObject({ step: 1, examples: 12 });
  });
});
