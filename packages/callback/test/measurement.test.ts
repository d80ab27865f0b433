import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import { train, type AppliedStep, type BatchSource, type Observer } from '@batchwise/core';
import { noiseScale, addSample, type NoiseScaleState } from '@batchwise/noise-scale';
import { gathered, shuffled } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { batchwise } from '../src/index.ts';
import { always, classifier, furthest, loadTf, rowsOf, sizesInTurn, weightsOf } from './support.ts';

const tf = await loadTf();
const COUNT = 240;

function source(): BatchSource<ArrayBatch> {
  const { xs, ys } = rowsOf(COUNT);
  const pick = (data: Float32Array, width: number, indices: Int32Array) => ({
    data: Float32Array.from([...indices].flatMap((i) => [...data.subarray(i * width, (i + 1) * width)])),
    shape: [indices.length, width],
  });
  return gathered(shuffled(COUNT, { seed: 5 }), (indices) => ({
    xs: pick(xs, 4, indices),
    ys: pick(ys, 3, indices),
  }));
}

const steps = (): { seen: AppliedStep[]; observer: Observer } => {
  const seen: AppliedStep[] = [];
  return { seen, observer: { name: 'steps', onStepFinished: ({ outcome }) => void seen.push(outcome) } };
};

type MakeOptimizer = () => ReturnType<typeof tf.train.sgd>;

/** The same training by the loop of core and by fitDataset. */
async function both(
  controller: ReturnType<typeof always>,
  makeOptimizer: MakeOptimizer = () => tf.train.momentum(0.1, 0.9),
  epochs = 3,
) {
  const [ours, theirs] = [steps(), steps()];
  const [looped, fitted] = [classifier(tf, makeOptimizer()), classifier(tf, makeOptimizer())];
  await train({
    backend: tfjsBackend(tf, looped),
    source: source(),
    controller,
    observers: [ours.observer],
    stop: { epochs },
  });
  const tuned = batchwise(tf, { source: source(), controller, observers: [theirs.observer] });
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
  it.each([
    ['a batch in two halves', always({ batchSize: 48 }, ['loss', 'gradient'])],
    ['parts that differ in size', always({ batchSize: 50, microBatchSize: 17 }, ['loss', 'gradient'])],
    ['sizes in turn', sizesInTurn([8, 40, 5, 64], ['loss', 'gradient'])],
    ['a rate that is scaled', always({ batchSize: 32, learningRateScale: 2.5 }, ['loss', 'gradient'])],
  ])('is what the loop of core measures, step by step: %s', async (_what, controller) => {
    const { looped, fitted, ours, theirs } = await both(controller);
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
      expect(relative(a?.crossProduct ?? NaN, b?.crossProduct ?? NaN)).toBeLessThan(1e-4);
      a?.squaredNorms.forEach((norm, k) =>
        expect(relative(norm, b?.squaredNorms[k] ?? NaN)).toBeLessThan(1e-5),
      );
    }
    expect(furthest(await weightsOf(looped), await weightsOf(fitted))).toBeLessThan(1e-5);
  });

  it('gives the noise scale that the loop of core finds', async () => {
    const { ours, theirs } = await both(always({ batchSize: 24 }, ['gradient']), () => tf.train.sgd(0.3), 6);
    const [looped, fitted] = [estimateOf(ours), estimateOf(theirs)];
    if (!looped.known || !fitted.known) throw new Error('not known after 60 steps');
    expect(fitted.samples).toBe(60);
    for (const key of ['noiseScale', 'lower', 'upper'] as const)
      expect(relative(looped[key], fitted[key])).toBeLessThan(1e-3);
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
