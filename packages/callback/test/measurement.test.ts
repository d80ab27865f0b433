import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import { train, type AppliedStep, type BatchSource, type Observer } from '@batchwise/core';
import { noiseScale, addSample, type NoiseScaleState } from '@batchwise/noise-scale';
import { gathered, shuffled, type IndexSampler } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { batchwise } from '../src/index.ts';
import { always, classifier, furthest, loadTf, rowsOf, sizesInTurn, weightsOf } from './support.ts';

const tf = await loadTf();
const COUNT = 240;

type Order = 'random' | 'by class';

/** Examples in a random order, or sorted by their class with that order beside it to measure in. */
function source(order: Order = 'random'): BatchSource<ArrayBatch> {
  const { xs, ys } = rowsOf(COUNT);
  const sampler = shuffled(COUNT, { seed: 5 });
  const classOf = (i: number) => ys.subarray(3 * i, 3 * i + 3).indexOf(1);
  const sorted = Array.from(ys.subarray(0, COUNT).keys()).sort((a, b) => classOf(a) - classOf(b));
  const pick = (data: Float32Array, width: number, indices: Int32Array) => ({
    data: Float32Array.from([...indices].flatMap((i) => [...data.subarray(i * width, (i + 1) * width)])),
    shape: [indices.length, width],
  });
  const ordered = order === 'random' ? sampler : { ...inThatOrder(sorted), independent: sampler };
  return gathered(ordered, (indices) => ({
    xs: pick(xs, 4, indices),
    ys: pick(ys, 3, indices),
  }));
}

function inThatOrder(order: readonly number[]): IndexSampler {
  return {
    size: order.length,
    population: order.length,
    epoch(_index, startAt = 0) {
      let at = startAt;
      return { take: (count) => Int32Array.from(order.slice(at, (at += count))) };
    },
  };
}

const steps = (): { seen: AppliedStep[]; observer: Observer } => {
  const seen: AppliedStep[] = [];
  return { seen, observer: { name: 'steps', onStepFinished: ({ outcome }) => void seen.push(outcome) } };
};

type MakeOptimizer = () => ReturnType<typeof tf.train.sgd>;

/** The same training by the loop of core and by fitDataset. */
async function both(
  controller: ReturnType<typeof always>,
  {
    makeOptimizer = () => tf.train.momentum(0.1, 0.9),
    epochs = 3,
    order = 'random',
    penalty,
  }: { makeOptimizer?: MakeOptimizer; epochs?: number; order?: Order; penalty?: number | undefined } = {},
) {
  const [ours, theirs] = [steps(), steps()];
  const make = () => classifier(tf, makeOptimizer(), { penalty });
  const [looped, fitted] = [make(), make()];
  await train({
    backend: tfjsBackend(tf, looped),
    source: source(order),
    controller,
    observers: [ours.observer],
    stop: { epochs },
  });
  const tuned = batchwise(tf, { source: source(order), controller, observers: [theirs.observer] });
  await fitted.fitDataset(tuned.dataset, { epochs, verbose: 0, callbacks: [tuned.callback] });
  return { looped, fitted, ours: ours.seen, theirs: theirs.seen };
}

function estimateOf(seen: readonly AppliedStep[]) {
  let state: NoiseScaleState | undefined;
  for (const { gradient } of seen)
    if (gradient) state = addSample(state, gradient, { horizonExamples: Infinity });
  return noiseScale(state);
}

const relative = (a: number, b: number): number => Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));

describe('what fitDataset measures', () => {
  it.each<[string, Order, ReturnType<typeof always>, number?]>([
    ['with a weight penalty', 'random', always({ batchSize: 48 }, ['loss', 'gradient']), 0.05],
    ['with one, apart', 'by class', sizesInTurn([50, 7, 31], ['loss', 'gradient'], 17), 0.05],
    ['a batch in two halves', 'random', always({ batchSize: 48 }, ['loss', 'gradient'])],
    [
      'parts that differ in size',
      'random',
      always({ batchSize: 50, microBatchSize: 17 }, ['loss', 'gradient']),
    ],
    ['sizes in turn', 'random', sizesInTurn([8, 40, 5, 64], ['loss', 'gradient'])],
    [
      'a rate that is scaled',
      'random',
      always({ batchSize: 32, learningRateScale: 2.5 }, ['loss', 'gradient']),
    ],
    ['examples that are no independent draws', 'by class', always({ batchSize: 48 }, ['loss', 'gradient'])],
    ['such in parts, in turn', 'by class', sizesInTurn([50, 7, 31], ['loss', 'gradient'], 17)],
  ])('is what the loop of core measures, step by step: %s', async (_what, order, controller, penalty) => {
    const { looped, fitted, ours, theirs } = await both(controller, { order, penalty });
    expect(theirs.length).toBe(ours.length);
    expect(ours.length).toBeGreaterThan(5);
    for (const [i, step] of ours.entries()) {
      const seen = theirs[i];
      expect(seen).toMatchObject({
        plan: step.plan,
        examples: step.examples,
        microBatchSize: step.microBatchSize,
        totalExamples: step.totalExamples,
        warm: step.warm,
      });
      expect(seen?.loss).toBeCloseTo(step.loss ?? NaN, 5);
      const [a, b] = [step.gradient, seen?.gradient];
      expect(b?.sizes).toEqual(a?.sizes);
      if (step.examples === 1) continue;
      expect(b?.penalty?.products.length).toBe(penalty && b?.sizes.length);
      const penalties = [a, b].map((moments) => [
        moments?.penalty?.squaredNorm ?? 0,
        ...(moments?.penalty?.products ?? []),
      ]);
      penalties[0]?.forEach((value, k) => expect(penalties[1]?.[k]).toBeCloseTo(value, 6));
      expect(relative(a?.crossProduct ?? NaN, b?.crossProduct ?? NaN)).toBeLessThan(1e-4);
      a?.squaredNorms.forEach((norm, k) =>
        expect(relative(norm, b?.squaredNorms[k] ?? NaN)).toBeLessThan(1e-5),
      );
    }
    expect(furthest(await weightsOf(looped), await weightsOf(fitted))).toBeLessThan(1e-5);
  });

  it('gives the noise scale that the loop of core finds', async () => {
    const { ours, theirs } = await both(always({ batchSize: 24 }, ['gradient']), {
      makeOptimizer: () => tf.train.sgd(0.3),
      epochs: 6,
    });
    const [looped, fitted] = [estimateOf(ours), estimateOf(theirs)];
    if (!looped.known || !fitted.known) throw new Error('not known after 60 steps');
    expect(fitted.samples).toBe(60);
    for (const key of ['noiseScale', 'lower', 'upper'] as const)
      expect(relative(looped[key], fitted[key])).toBeLessThan(1e-3);
  });

  it('tells a penalty apart by name where layers were frozen after the model was compiled', async () => {
    const make = () => {
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
      const kernelRegularizer = tf.regularizers.l2({ l2: 0.05 });
      const layers = [
        tf.layers.dense({ units: 4, inputShape: [4], activation: 'tanh', kernelInitializer }),
        tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer, kernelRegularizer }),
      ];
      const model = tf.sequential({ layers });
      model.compile({ optimizer: tf.train.sgd(1e-9), loss: 'categoricalCrossentropy' });
      const [first] = layers;
      if (first) first.trainable = false;
      return model;
    };
    const [ours, theirs] = [steps(), steps()];
    const [looped, fitted] = [make(), make()];
    const controller = always({ batchSize: 48 }, ['gradient']);
    const backend = tfjsBackend(tf, looped);
    await train({ backend, source: source(), controller, observers: [ours.observer], stop: { epochs: 1 } });
    const tuned = batchwise(tf, { source: source(), controller, observers: [theirs.observer] });
    await fitted.fitDataset(tuned.dataset, { epochs: 1, verbose: 0, callbacks: [tuned.callback] });
    const penaltiesOf = ({ seen }: typeof ours) => seen.map(({ gradient }) => gradient?.penalty);
    expect(penaltiesOf(theirs)).toHaveLength(5);
    for (const [i, penalty] of penaltiesOf(ours).entries()) {
      const other = penaltiesOf(theirs)[i];
      expect(other?.squaredNorm).toBeCloseTo(penalty?.squaredNorm ?? NaN, 6);
      expect(other?.products).toEqual(
        penalty?.products.map((product) => expect.closeTo(product, 6) as number),
      );
    }
  });

  it('does not take a weight penalty for a gradient that the examples agree on', async () => {
    // The weights stay where they are, so that all that differs is whether the penalty is told apart.
    const measured = async (penalty: number) => {
      const makeOptimizer = () => tf.train.sgd(1e-9);
      const { theirs } = await both(always({ batchSize: 24 }, ['gradient']), {
        makeOptimizer,
        epochs: 6,
        penalty,
      });
      const untold = theirs.map((step) => {
        const { sizes = [], squaredNorms = [], crossProduct = 0 } = step.gradient ?? {};
        return { ...step, gradient: { sizes, squaredNorms, crossProduct } };
      });
      return [theirs, untold].map((seen) => {
        const found = estimateOf(seen);
        return found.known ? found.noiseScale : NaN;
      });
    };
    const [[without = NaN], [told = NaN, untold = NaN]] = [await measured(0), await measured(0.5)];
    expect(told / without).toBeCloseTo(1, 4);
    expect(untold / without).toBeLessThan(0.8);
  });

  it('trains on each example once, measured or not: the halves make the update of the whole', async () => {
    const plain = classifier(tf, tf.train.adam(0.02));
    const measured = classifier(tf, tf.train.adam(0.02));
    for (const [model, measure] of [
      [plain, ['loss']],
      [measured, ['loss', 'gradient']],
    ] as const) {
      const tuned = batchwise(tf, { source: source(), controller: always({ batchSize: 24 }, measure) });
      await model.fitDataset(tuned.dataset, { epochs: 2, verbose: 0, callbacks: [tuned.callback] });
    }
    expect(furthest(await weightsOf(plain), await weightsOf(measured))).toBeLessThan(1e-5);
    expect(furthest(await weightsOf(plain), await weightsOf(classifier(tf, 'sgd')))).toBeGreaterThan(0.05);
  });

  it("keeps a batch of a controller of one's own below the ceiling too", async () => {
    const { seen, observer } = steps();
    const tuned = batchwise(tf, {
      source: source(),
      controller: always({ batchSize: 60 }),
      ceiling: { batchSize: 30 },
      observers: [observer],
    });
    const model = classifier(tf, tf.train.sgd(0.1));
    await model.fitDataset(tuned.dataset, { epochs: 1, verbose: 0, callbacks: [tuned.callback] });
    expect(seen.map(({ microBatchSize }) => microBatchSize)).toEqual([30, 30, 30, 30]);
  });

  it('keeps a batch above the ceiling on the device in parts', async () => {
    const sizes: number[] = [];
    const model = classifier(tf, tf.train.sgd(0.1));
    const { seen, observer } = steps();
    const tuned = batchwise(tf, {
      source: source(),
      policy: 'fixed',
      batchSize: 60,
      ceiling: async (compiled) => ({ batchSize: compiled.countParams() - 26 }),
      observers: [observer],
    });
    await model.fitDataset(tuned.dataset, {
      epochs: 1,
      verbose: 0,
      callbacks: [tuned.callback, watching((logs) => sizes.push(Number(logs['size'])))],
    });
    expect(sizes).toEqual(Array.from({ length: 12 }, () => 20));
    expect(seen.map(({ examples, microBatchSize }) => [examples, microBatchSize])).toEqual(
      Array.from({ length: 4 }, () => [60, 20]),
    );
  });
});

function watching(see: (logs: Readonly<Record<string, unknown>>) => void) {
  class Watching extends tf.Callback {
    override async onBatchBegin(_batch: number, logs?: Record<string, unknown>) {
      see(logs ?? {});
    }
  }
  return new Watching();
}
