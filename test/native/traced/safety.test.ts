import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { train, type AppliedStep, type Decision } from '@batchwise/core';
import type { LayersTf } from '@batchwise/backend/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE, type NativeTensorflow } from '../native-tensorflow.ts';
import { classifier, compiled } from './models.ts';
import { batchOf, furthest, step, stockStep, tracedBackend, weightsOf } from './training.ts';

let native: NativeTensorflow;
let tf: LayersTf;

describe.skipIf(WHY_NO_NATIVE)('a traced step', () => {
  beforeAll(async () => {
    native = await nativeTensorflow();
    ({ tf } = native);
  });

  it('is made once for all batch sizes', async () => {
    const { backend, events } = tracedBackend(tf, classifier(tf, 'sgd'));
    const traced = () => events.filter(({ part }) => part === 'gradient').map(({ key }) => key.slice(8, 10));
    for (const size of [16, 10, 32, 16]) await step(backend, batchOf(size, 1));
    expect(traced()).toEqual(['16', '10', '32']);
    // Of the gradient and of the update.
    expect(native.graphs()).toBe(2);
    await backend.endRun();
    expect(native.graphs()).toBe(0);
  });

  it('is made once for all batch sizes where the targets are the inputs, and for parts', async () => {
    const layer = tf.layers.dense({ units: 3, activation: 'softmax', inputShape: [3] });
    const { backend, events } = tracedBackend(tf, compiled(tf, [layer]));
    const ofItself = (size: number) => {
      const { ys } = batchOf(size, 1);
      return { xs: ys, ys };
    };
    const parts = backend.split(ofItself(40), 20);
    for (const batch of [ofItself(16), ofItself(10), ofItself(32), ...parts]) await step(backend, batch);
    const traced = events.filter(({ part }) => part === 'gradient').map(({ key }) => key.slice(8, 10));
    expect(traced).toEqual(['16', '10', '32', '20']);
    expect(native.graphs()).toBe(2);
    await backend.endRun();
  });

  it('is not made of what was left of an epoch until that comes again, where it needs a graph of its own', async () => {
    const { backend, events } = tracedBackend(tf, classifier(tf, 'sgd'));
    const traced = () => events.filter(({ part }) => part === 'gradient').map(({ key }) => key.slice(8, 9));
    // Half of 3 or 2 examples is one.
    for (const size of [3, 3, 2]) await step(backend, batchOf(size, 1));
    expect(traced()).toEqual(['3']);
    for (const size of [3, 2]) await step(backend, batchOf(size, 1));
    expect(traced()).toEqual(['3', '2']);
    expect(native.graphs()).toBe(3);
    await backend.endRun();
  });

  it('keeps 48 of those that take turns, and makes none of the others', async () => {
    const { backend, events } = tracedBackend(tf, classifier(tf, 'sgd'));
    for (let size = 1; size <= 55; size += 1) await step(backend, batchOf(size, 1));
    expect(events.map(({ status }) => status)).toEqual(Array.from({ length: 48 }, () => 'traced'));
    // The sizes below 4 have graphs of their own, for half of them is one example; the others share one. And the update.
    expect(native.graphs()).toBe(5);
    for (const size of [1, 2, 50, 1]) await step(backend, batchOf(size, 1));
    expect(events).toHaveLength(48);
    expect(native.graphs()).toBe(5);
    await backend.endRun();
  });

  it('sees weights that somebody else has written, and shows its own at any time', async () => {
    const [theirs, ours] = [1, 2].map(() => classifier(tf, tf.train.adam(0.01)));
    if (!theirs || !ours) throw new Error('two models');
    const { backend, said } = tracedBackend(tf, ours);
    const other = classifier(tf, 'sgd')
      .getWeights()
      .map((weight) => tf.mul(weight, 0.5));
    for (let i = 0; i < 12; i += 1) {
      if (i === 6) for (const model of [theirs, ours]) model.setWeights(other);
      // Clones keep what they had.
      const [kept] = ours.getWeights().map((weight) => weight.clone());
      const before = await kept?.data();
      await stockStep(tf, theirs, batchOf(12, i));
      await step(backend, batchOf(12, i));
      expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-6);
      expect(await kept?.data()).toEqual(before);
      kept?.dispose();
    }
    expect(said('update')?.status).toBe('traced');
    await backend.endRun();
  });

  it.each(['sgd', 'momentum', 'adam', 'rmsprop'] as const)(
    'of %s takes the rate of the moment, also 0',
    async (name) => {
      const make = (rate: number) =>
        ({
          sgd: () => tf.train.sgd(rate),
          momentum: () => tf.train.momentum(rate, 0.9),
          adam: () => tf.train.adam(rate),
          rmsprop: () => tf.train.rmsprop(rate),
        })[name]();
      const [optimizer, model] = [make(0.1), classifier(tf, make(0.1))];
      const theirs = classifier(tf, optimizer);
      const { backend, events } = tracedBackend(tf, model);
      for (const [i, scale] of [0.5, 0, 0.5, 0, 1, 0.25, 0.25, 0].entries()) {
        if ('setLearningRate' in optimizer) optimizer.setLearningRate(0.1 * scale);
        else Object.assign(optimizer, { learningRate: 0.1 * scale });
        await stockStep(tf, theirs, batchOf(12, i));
        await step(backend, batchOf(12, i), scale);
        expect(furthest(await weightsOf(theirs), await weightsOf(model))).toBeLessThan(1e-6);
      }
      // One trace serves all rates.
      expect(events.filter(({ part }) => part === 'update').map(({ status }) => status)).toEqual(['traced']);
      await backend.endRun();
      expect((model.optimizer as unknown as { learningRate: number }).learningRate).toBe(0.1);
    },
  );

  it('notices within 500 steps that a layer computes something else', async () => {
    const model = classifier(tf, tf.train.sgd(0), { l2: 0.5 });
    const { backend } = tracedBackend(tf, model);
    const batch = batchOf(4, 1);
    const first = await step(backend, batch);
    const { kernelRegularizer } = model.layers[0] as unknown as { kernelRegularizer: { l2: number } };
    kernelRegularizer.l2 = 1;
    const losses: number[] = [];
    for (let i = 0; i < 501; i += 1) losses.push(await step(backend, batch));
    const [penalty] = model.getWeights().map((weight) => tf.sum(tf.square(weight)).dataSync()[0] ?? NaN);
    expect(losses.at(-1)).toBeCloseTo(first + 0.5 * (penalty ?? NaN), 4);
    expect(losses[0]).toBeCloseTo(first, 5);
    await backend.endRun();
  });

  it('merges by the weights of the parts, whatever they were when it was traced', async () => {
    // So many weights that they are not merged on the host.
    const between = [512, 512].map((units) => tf.layers.dense({ units, activation: 'tanh' }));
    const { backend, events } = tracedBackend(tf, classifier(tf, 'sgd', { between }));
    const merged = async (weights: readonly [number, number]) => {
      const [a, b] = [await backend.gradient(batchOf(12, 1)), await backend.gradient(batchOf(4, 2))];
      a.loss.dispose();
      b.loss.dispose();
      const result = backend.merge?.([a.gradient, b.gradient], weights);
      if (!result) throw new Error('it does not merge');
      const [ofA = NaN, ofB = NaN, ofBoth = NaN] = Array.from(await result.products.read());
      const norm = await backend.dot(result.total, result.total).read();
      backend.release(result.total);
      const [one, other] = weights;
      return norm / (one ** 2 * ofA + other ** 2 * ofB + 2 * one * other * ofBoth);
    };
    for (let use = 0; use < 33; use += 1) expect(await merged([0.5, 0.5])).toBeCloseTo(1, 5);
    expect(events.map(({ part }) => part)).toContain('merge');
    expect(await merged([0.75, 0.25])).toBeCloseTo(1, 5);
    expect(await merged([0.1, 0.9])).toBeCloseTo(1, 5);
    await backend.endRun();
  });

  it('is switched off by one word', async () => {
    const { backend, events } = tracedBackend(tf, classifier(tf, 'sgd'), { traced: false });
    for (let i = 0; i < 10; i += 1) await step(backend, batchOf(8, 1));
    expect(events).toEqual([]);
    expect(native.graphs()).toBe(0);
  });
});

describe.skipIf(WHY_NO_NATIVE)('a run with traced steps', () => {
  const decision: Decision<null> = {
    plan: { batchSize: 12, microBatchSize: 6, learningRateScale: 1 },
    reason: { code: 'test', text: 'said so', numbers: {} },
    measure: ['loss', 'seconds', 'gradient', 'memory'],
    state: null,
  };
  const controller = {
    name: 'test',
    measures: decision.measure,
    start: () => decision,
    next: () => decision,
    recover: () => ({ kind: 'giveUp' as const, message: 'gave up' }),
  };
  const source = {
    size: 40,
    epoch: () => {
      let taken = 0;
      return {
        take: (count: number) => {
          const size = Math.min(count, 40 - taken);
          taken += size;
          return size > 0 ? batchOf(size, taken) : undefined;
        },
      };
    },
  };

  async function measured(traced: boolean, l2: number) {
    const outcomes: AppliedStep[] = [];
    const { backend, events } = tracedBackend(tf, classifier(tf, tf.train.adam(0.01), { l2 }), {
      traced,
    });
    const observers = [
      {
        name: 'steps',
        onStepFinished: ({ outcome }: { outcome: AppliedStep }) => void outcomes.push(outcome),
      },
    ];
    const summary = await train({
      backend,
      source,
      controller,
      observers,
      stop: { epochs: 30 },
      validation: { source, batchSize: 20 },
    });
    return { outcomes, events, validation: summary.validation };
  }

  it.each([
    ['without a penalty', 0, []],
    ['with a penalty', 0.01, ['accumulate', 'dot']],
  ])('measures and evaluates as one without, %s', async (_what, l2, measuring) => {
    const [eager, traced] = [await measured(false, l2), await measured(true, l2)];
    expect(traced.events.filter(({ status }) => status === 'traced').map(({ part }) => part)).toEqual(
      expect.arrayContaining(['gradient', 'update', ...measuring, 'evaluation']),
    );
    expect(traced.events.filter(({ status }) => status === 'eager')).toEqual([]);
    // So few weights are merged on the host.
    expect(traced.events.map(({ part }) => part)).not.toContain('merge');
    expect(traced.outcomes).toHaveLength(eager.outcomes.length);
    traced.outcomes.forEach(({ gradient, loss }, i) => {
      const right = eager.outcomes[i];
      expect(gradient?.sizes).toEqual(right?.gradient?.sizes);
      expect(loss).toBeCloseTo(right?.loss ?? NaN, 5);
      const numbers = [...(gradient?.squaredNorms ?? []), gradient?.crossProduct ?? NaN];
      [...(right?.gradient?.squaredNorms ?? []), right?.gradient?.crossProduct ?? NaN].forEach((number, k) =>
        expect(Math.abs((numbers[k] ?? NaN) / number - 1)).toBeLessThan(1e-3),
      );
    });
    expect(traced.validation?.loss).toBeCloseTo(eager.validation?.loss ?? NaN, 5);
    expect(traced.validation?.metrics['acc']).toBeCloseTo(eager.validation?.metrics['acc'] ?? NaN, 6);
    // The engine does not see what graphs take; it has seen the first step of each size.
    const peaks = [eager, traced].map(({ outcomes }) => outcomes.at(-1)?.memory?.peakBytes ?? NaN);
    expect((peaks[1] ?? NaN) / (peaks[0] ?? NaN)).toBeGreaterThan(0.9);
  });

  it('leaves nothing but what the optimizer keeps', async () => {
    const model = classifier(tf, tf.train.adam(0.01));
    await step(tracedBackend(tf, model, { traced: false }).backend, batchOf(4, 1));
    const count = () => ({
      tensors: tf.memory().numTensors,
      handles: native.handles(),
      graphs: native.graphs(),
    });
    const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('batchwise-graph-'));
    const before = count();
    const { backend, said } = tracedBackend(tf, model);
    await train({ backend, source, controller, stop: { epochs: 4 }, validation: { source } });
    expect(said('update')?.status).toBe('traced');
    expect(count()).toEqual(before);
    expect(folders()).toEqual([]);
  });
});
