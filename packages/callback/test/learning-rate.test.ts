import type { BatchController, Json } from '@batchwise/core';
import { withLearningRate } from '@batchwise/tuner';
import { describe, expect, it } from 'vitest';
import { batchwise, fit } from '../src/index.ts';
import { always, classifier, furthest, loadTf, tensorsOf, weightsOf, type Model } from './support.ts';

const tf = await loadTf();
const COUNT = 48;
const { xs, ys } = tensorsOf(tf, COUNT);

/** Each optimizer that TensorFlow.js ships, at a given rate. */
const OPTIMIZERS = {
  sgd: (rate: number) => tf.train.sgd(rate),
  momentum: (rate: number) => tf.train.momentum(rate, 0.9),
  nesterov: (rate: number) => tf.train.momentum(rate, 0.9, true),
  adam: (rate: number) => tf.train.adam(rate),
  adamax: (rate: number) => tf.train.adamax(rate),
  rmsprop: (rate: number) => tf.train.rmsprop(rate),
  adagrad: (rate: number) => tf.train.adagrad(rate),
  adadelta: (rate: number) => tf.train.adadelta(rate),
};
const names = Object.keys(OPTIMIZERS) as (keyof typeof OPTIMIZERS)[];
const rateOf = (model: Model): number =>
  (model.optimizer as unknown as { learningRate: number }).learningRate;

const inOrder = { epochs: 3, verbose: 0, shuffle: false } as const;
const plainFit = (model: Model, batchSize: number) => model.fit(xs, ys, { ...inOrder, batchSize });

function tunedFit(model: Model, controller: BatchController<Json>, callbacks: readonly object[] = []) {
  const tuned = batchwise(tf, { source: { xs, ys }, shuffle: false, controller });
  return model.fitDataset(tuned.dataset, {
    epochs: 3,
    verbose: 0,
    callbacks: [tuned.callback, ...callbacks] as never,
  });
}

describe('the rate of an optimizer is scaled for its updates, and its own in between', () => {
  it.each(names)('%s, in fitDataset and in fit', async (name) => {
    const make = OPTIMIZERS[name];
    const [plain, tuned, looped] = [make(0.05), make(0.02), make(0.02)].map((made) => classifier(tf, made));
    if (!plain || !tuned || !looped) throw new Error('three models');
    await plainFit(plain, 12);
    const controller = always({ batchSize: 12, learningRateScale: 2.5 });
    const seen: number[] = [];
    await tunedFit(tuned, controller, [atEachBatch(() => seen.push(rateOf(tuned)))]);
    await fit(looped, xs, ys, { tf, ...inOrder, batchSize: 12, tuner: { controller } });
    const expected = await weightsOf(plain);
    expect(furthest(expected, await weightsOf(tuned))).toBeLessThan(1e-6);
    expect(furthest(expected, await weightsOf(looped))).toBeLessThan(1e-6);
    expect(furthest(expected, await weightsOf(classifier(tf, 'sgd')))).toBeGreaterThan(0.005);
    expect(seen).toEqual(Array.from({ length: 12 }, () => 0.02));
    expect([rateOf(tuned), rateOf(looped)]).toEqual([0.02, 0.02]);
  });

  it.each(names)('%s with a schedule of the user in force', async (name) => {
    const make = OPTIMIZERS[name];
    const set = (model: Model, rate: number) => {
      const optimizer = model.optimizer as unknown as {
        learningRate: number;
        setLearningRate?(rate: number): void;
      };
      if (optimizer.setLearningRate) optimizer.setLearningRate(rate);
      else optimizer.learningRate = rate;
    };
    /** Reads the rate and writes a third of it, as schedules do. */
    const decay = (model: Model) => atEachEpoch(() => set(model, rateOf(model) / 3));
    const [plain, tuned, looped] = [make(0.2), make(0.1), make(0.1)].map((made) => classifier(tf, made));
    if (!plain || !tuned || !looped) throw new Error('three models');
    const controller = always({ batchSize: 12, learningRateScale: 2 });
    await plain.fit(xs, ys, { ...inOrder, batchSize: 12, callbacks: [decay(plain)] });
    await tunedFit(tuned, controller, [decay(tuned)]);
    await fit(looped, xs, ys, {
      tf,
      ...inOrder,
      batchSize: 12,
      tuner: { controller },
      callbacks: [decay(looped)],
    });
    expect(furthest(await weightsOf(plain), await weightsOf(tuned))).toBeLessThan(1e-6);
    expect(furthest(await weightsOf(plain), await weightsOf(looped))).toBeLessThan(1e-6);
    expect(rateOf(tuned)).toBeCloseTo(0.1 / 27, 12);
  });

  it('a batch cut short trains at its share of the rate', async () => {
    const [plain, tuned] = [classifier(tf, tf.train.sgd(0.1)), classifier(tf, tf.train.sgd(0.1))];
    // 48 = 20 + 20 + 8
    for (let epoch = 0; epoch < 3; epoch += 1)
      for (const [from, size] of [
        [0, 20],
        [20, 20],
        [40, 8],
      ] as const) {
        const [x, y] = [tf.slice(xs, from, size), tf.slice(ys, from, size)];
        (plain.optimizer as ReturnType<typeof tf.train.sgd>).setLearningRate(0.1 * (size / 20));
        await plain.trainOnBatch(x, y);
        tf.dispose([x, y]);
      }
    await tunedFit(tuned, always({ batchSize: 20 }));
    expect(furthest(await weightsOf(plain), await weightsOf(tuned))).toBeLessThan(1e-6);
  });

  it('what was held back of a step when the training was stopped is applied at its share', async () => {
    const [plain, tuned] = [classifier(tf, tf.train.adam(0.1)), classifier(tf, tf.train.adam(0.1))];
    const [x, y] = [tf.slice(xs, 0, 8), tf.slice(ys, 0, 8)];
    (plain.optimizer as unknown as { learningRate: number }).learningRate = 0.1 * (8 / 24);
    await plain.trainOnBatch(x, y);
    tf.dispose([x, y]);
    const stop = atEachBatch(() => (tuned.stopTraining = true));
    const { epoch } = await tunedFit(tuned, always({ batchSize: 24, microBatchSize: 8 }), [stop]);
    expect(epoch).toEqual([0]);
    expect(rateOf(tuned)).toBe(0.1);
    expect(furthest(await weightsOf(plain), await weightsOf(tuned))).toBeLessThan(1e-6);
  });

  it('an optimizer without a rate is refused only where it would be scaled', async () => {
    const make = () => {
      const optimizer = tf.train.sgd(0.1);
      Object.assign(optimizer, { learningRate: undefined });
      return classifier(tf, optimizer);
    };
    await tunedFit(make(), always({ batchSize: 12 }));
    await expect(tunedFit(make(), always({ batchSize: 12, learningRateScale: 2 }))).rejects.toMatchObject({
      code: 'invalidOptions',
      message: expect.stringContaining('no learningRate to scale'),
    });
  });
});

/** A fixed batch at rates in turn, beside decays of averages in turn. */
function ratesInTurn(rates: readonly number[], decays: readonly number[] = []): BatchController<Json> {
  const still = always({ batchSize: 12 });
  const { plan, ...rest } = still.start({ datasetSize: COUNT, plannedExamples: 3 * COUNT, seed: 0 });
  const decide = (step: number) => ({
    ...rest,
    plan: {
      ...plan,
      learningRateScale: rates[step % rates.length] ?? 1,
      ...(decays.length > 0 && { momentDecayScale: decays[step % decays.length] ?? 1 }),
    },
    state: step,
  });
  return { ...still, start: () => decide(0), next: (_outcome, step) => decide(Number(step) + 1) };
}

describe('what else of an optimizer goes with the rate', () => {
  type Averages = Readonly<Record<'beta1' | 'beta2' | 'decay' | 'epsilon', number | undefined>>;
  const averagesOf = ({ optimizer }: Model): Averages => {
    const { beta1, beta2, decay, epsilon } = optimizer as unknown as Averages;
    return { beta1, beta2, decay, epsilon };
  };
  const weightsAfter = async (
    make: () => ReturnType<typeof tf.train.sgd>,
    controller: BatchController<Json>,
  ) => {
    const [tuned, looped] = [classifier(tf, make()), classifier(tf, make())];
    const before = averagesOf(tuned);
    await tunedFit(tuned, controller);
    await fit(looped, xs, ys, { tf, ...inOrder, batchSize: 12, tuner: { controller } });
    expect(averagesOf(tuned)).toEqual(before);
    const [inDataset, inFit] = [await weightsOf(tuned), await weightsOf(looped)];
    expect(furthest(inDataset, inFit)).toBeLessThan(1e-6);
    return inDataset;
  };
  const RATES = [1, 3, 0.5];

  it.each(['adam', 'rmsprop'] as const)('what the averages of %s forget by, as in fit', async (name) => {
    const make = () => OPTIMIZERS[name](0.02) as never;
    const rescaled = await weightsAfter(make, ratesInTurn(RATES, [1, 9, 2]));
    const kept = await weightsAfter(make, ratesInTurn(RATES));
    expect(furthest(rescaled, kept)).toBeGreaterThan(1e-3);
  });

  it('by the rule of a controller', async () => {
    const coupled = (moments: 'keep' | 'rescale') =>
      withLearningRate(always({ batchSize: 12 }), { rule: 'sqrt', referenceBatchSize: 3, moments });
    const make = () => OPTIMIZERS.adam(0.02) as never;
    const [rescaled, kept] = [
      await weightsAfter(make, coupled('rescale')),
      await weightsAfter(make, coupled('keep')),
    ];
    // At the same rates, with averages that forget four times as fast in the end.
    expect(furthest(rescaled, kept)).toBeGreaterThan(1e-3);
    const sgd = () => OPTIMIZERS.sgd(0.02);
    const same = await weightsAfter(sgd, coupled('keep'));
    expect(await weightsAfter(sgd, coupled('rescale'))).toEqual(same);
  });

  it('the velocity of RMSProp with momentum, which holds the rate', async () => {
    const make = () => tf.train.rmsprop(0.02, 0.9, 0.8) as never;
    const model = classifier(tf, make());
    const followed = await weightsAfter(make, ratesInTurn(RATES));
    // By a schedule of the user's nothing is multiplied: the velocity of each step goes on as it is.
    let step = 0;
    const optimizer = model.optimizer as unknown as { learningRate: number };
    const turn = () => (optimizer.learningRate = 0.02 * (RATES[step++ % RATES.length] ?? 1));
    turn();
    await model.fit(xs, ys, { ...inOrder, batchSize: 12, callbacks: [atEachBatch(turn)] });
    expect(furthest(followed, await weightsOf(model))).toBeGreaterThan(1e-3);
  });

  it('has its velocity at its own rate again after an update that failed', async () => {
    const make = () => classifier(tf, tf.train.rmsprop(0.02, 0.9, 0.8) as never);
    const [plain, failing] = [make(), make()];
    const [x, y] = [tf.slice(xs, 0, 12), tf.slice(ys, 0, 12)];
    await plain.trainOnBatch(x, y);
    tf.dispose([x, y]);
    const optimizer = failing.optimizer as unknown as { applyGradients(gradients: object): void };
    const own = optimizer.applyGradients.bind(optimizer);
    let updates = 0;
    optimizer.applyGradients = (gradients) => {
      if ((updates += 1) === 2) throw new Error('enough');
      own(gradients);
    };
    await expect(tunedFit(failing, ratesInTurn([1, 3]))).rejects.toThrow('enough');
    const [once, after] = [await velocityOf(plain), await velocityOf(failing)];
    expect(Math.max(...once)).toBeGreaterThan(1e-3);
    expect(furthest(once, after)).toBeLessThan(1e-7);
  });

  it('has its own averages back after a failure', async () => {
    const model = classifier(tf, tf.train.adam(0.02));
    const before = averagesOf(model);
    const seen: Averages[] = [];
    const failing = atEachBatch(() => {
      if (seen.push(averagesOf(model)) === 2) throw new Error('enough');
    });
    await expect(tunedFit(model, ratesInTurn([2], [9]), [failing])).rejects.toThrow('enough');
    // 1 − β' = 9 (1 − β), ε' = ε/3
    expect(seen[0]?.beta2).toBeCloseTo(1 - 9 * 0.001, 12);
    expect(seen[0]?.epsilon).toBeCloseTo((before.epsilon ?? NaN) / 3, 12);
    expect([averagesOf(model), rateOf(model)]).toEqual([before, 0.02]);
  });
});

/** Of RMSProp, over all weights. */
async function velocityOf({ optimizer }: Model): Promise<number[]> {
  const { accumulatedMoments } = optimizer as unknown as {
    accumulatedMoments: readonly { readonly variable: ReturnType<typeof tf.variable> }[];
  };
  const values = await Promise.all(accumulatedMoments.map(({ variable }) => variable.data()));
  return values.flatMap((each) => [...each]);
}

function atEachBatch(work: () => unknown) {
  class AtEachBatch extends tf.Callback {
    override async onBatchEnd() {
      work();
    }
  }
  return new AtEachBatch();
}

function atEachEpoch(work: () => unknown) {
  class AtEachEpoch extends tf.Callback {
    override async onEpochEnd() {
      work();
    }
  }
  return new AtEachEpoch();
}
