import { fakeClock } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { createTuner, gradientMoments, type TunerOptions } from '../src/index.ts';
import { always, classifier, loadTf, sizesInTurn, tensorsOf } from './support.ts';

describe('createTuner', () => {
  /** A machine where a step takes 2 ms and 20 µs per example. */
  const drive = (tuner: ReturnType<typeof createTuner>, steps: number) => {
    const sizes: number[] = [];
    for (let i = 0; i < steps; i += 1) {
      const { batchSize } = tuner.next();
      sizes.push(batchSize);
      tuner.report({ seconds: 0.002 + 0.00002 * batchSize });
    }
    return sizes;
  };

  it('goes to the knee of a machine that it times, with the rate', () => {
    const tuner = createTuner({ policy: 'knee', optimizer: 'sgd', datasetSize: 60_000, epochs: 20 });
    const sizes = drive(tuner, 120);
    // 8 α/β = 800, and the nearest power of two
    expect(sizes.at(-1)).toBe(1024);
    expect(tuner.next()).toMatchObject({ batchSize: 1024, parts: [1024], learningRateScale: 4 });
    expect(tuner.history.changes.map(({ batchSize }) => batchSize)).toContain(1024);
    expect(tuner.history.changes.at(-1)?.reason.code).toBe('knee');
  });

  it('goes on from its state as if it had not been interrupted', () => {
    const options = { policy: 'goodput', optimizer: 'adam', datasetSize: 60_000, epochs: 20 } as const;
    const [whole, first] = [createTuner(options), createTuner(options)];
    const expected = drive(whole, 200);
    const begun = drive(first, 77);
    const resumeFrom = JSON.parse(JSON.stringify(first.state));
    // `warm` begins anew, so that the first step after a resumption is not timed.
    expect([...begun, ...drive(createTuner({ ...options, resumeFrom }), 5)]).toEqual(expected.slice(0, 82));
    expect(resumeFrom).toMatchObject({ step: 77, examples: begun.reduce((a, b) => a + b) });
  });

  it('refuses to go on from what is no state of its own', () => {
    const { state } = createTuner();
    const from = (resumeFrom: unknown, options: TunerOptions = {}) =>
      createTuner({ ...options, resumeFrom: resumeFrom as typeof state });
    expect(() => from('oops')).toThrow('resumeFrom is "oops". Give the checkpoint');
    expect(() => from({ ...state, step: NaN })).toThrow('resumeFrom.step is null.');
    expect(() => from({ ...state, decision: {} })).toThrow('resumeFrom.decision is {}.');
    const other = from({ ...state, step: 1 }, { policy: 'knee' });
    other.next();
    expect(() => other.report({ seconds: 1 })).toThrow(
      'Controller knee cannot go on from the state in the checkpoint. Resume with the controller',
    );
  });

  it('has the rate make up for smaller batches in the average of an Adam of which it is told', () => {
    const options = { policy: 'goodput', optimizer: 'adam', datasetSize: 60_000, epochs: 20 } as const;
    const highest = (more: TunerOptions) => {
      const tuner = createTuner({ ...options, ...more });
      let scale = 0;
      for (let i = 0; i < 120; i += 1) {
        const { batchSize, learningRateScale } = tuner.next();
        scale = Math.max(scale, learningRateScale);
        tuner.report({ seconds: 0.002 + 0.00002 * batchSize });
      }
      return { scale, batchSize: tuner.next().batchSize };
    };
    // By the root rule alone; and more, since 23 steps of 32 are in the average.
    const alone = highest({});
    expect(alone.scale).toBeCloseTo(Math.sqrt(alone.batchSize / 32), 9);
    const told = highest({ secondMoment: { decay: 0.999, updates: 0 } });
    expect(told.batchSize).toBe(alone.batchSize);
    expect(told.scale).toBeGreaterThan(1.3 * alone.scale);
  });

  it('times a step from next to report, and says what a plan change is for', () => {
    const clock = fakeClock();
    const seen: number[] = [];
    const turns = sizesInTurn([8, 16], ['seconds']);
    const controller = {
      ...turns,
      next: (...[step, state]: Parameters<typeof turns.next>) => {
        seen.push(step.seconds ?? NaN);
        return turns.next(step, state);
      },
    };
    const tuner = createTuner({ controller, clock });
    tuner.next();
    clock.advance(0.25);
    expect(tuner.next().batchSize).toBe(8);
    clock.advance(0.25);
    expect(tuner.report()).toEqual({
      from: { batchSize: 8, microBatchSize: 8, learningRateScale: 1 },
      to: { batchSize: 16, microBatchSize: 16, learningRateScale: 1 },
      reason: { code: 'in-turn', text: 'It was its turn.', numbers: { at: 1 } },
    });
    expect(seen).toEqual([0.5]);
  });

  it('cuts a step to what is left, at its share of the rate, and in parts', () => {
    const controller = always({ batchSize: 32, microBatchSize: 10, learningRateScale: 2 }, ['gradient']);
    const tuner = createTuner({ controller, datasetSize: 100 });
    expect(tuner.next()).toMatchObject({ batchSize: 32, parts: [8, 8, 8, 8], learningRateScale: 2 });
    expect(tuner.next(11)).toMatchObject({ batchSize: 11, parts: [6, 5], learningRateScale: 2 * (11 / 32) });
    expect(tuner.next(1)).toMatchObject({ batchSize: 1, parts: [1] });
    expect(() => tuner.next(0)).toThrow('available is 0; give the examples that are left, at least 1.');
    expect(createTuner({ controller: always({ batchSize: 32 }), datasetSize: 20 }).next(20)).toMatchObject({
      learningRateScale: 1,
    });
  });

  it('says how the averages are to forget where the rate counts on it', () => {
    const options = {
      optimizer: 'adam',
      batchSize: 32,
      datasetSize: 60_000,
      learningRateRule: 'sqrt',
    } as const;
    expect(createTuner({ ...options, moments: 'rescale' }).next()).toMatchObject({ momentDecayScale: 1 });
    expect(createTuner(options).next()).not.toHaveProperty('momentDecayScale');
    const controller = always({ batchSize: 32, learningRateScale: 2, momentDecayScale: 4 });
    expect(createTuner({ controller }).next()).toMatchObject({ learningRateScale: 2, momentDecayScale: 4 });
  });

  it('runs smaller parts after running out of memory, and gives up in the end', () => {
    const tuner = createTuner({ policy: 'fixed', batchSize: 32 });
    tuner.next();
    expect(tuner.outOfMemory().to).toMatchObject({ batchSize: 32, microBatchSize: 16 });
    expect(tuner.next().parts).toEqual([16, 16]);
    for (let size = 16; size > 1; size /= 2) {
      tuner.next();
      tuner.outOfMemory();
    }
    tuner.next();
    expect(() => tuner.outOfMemory()).toThrow(
      'A step with a single example on the device did not fit in memory.',
    );
    const stubborn = { ...always({ batchSize: 4 }) };
    const { decision } = { decision: stubborn.start({ datasetSize: 8, plannedExamples: 8, seed: 0 }) };
    const again = createTuner({
      controller: { ...stubborn, recover: () => ({ kind: 'retry', decision: { ...decision, firm: true } }) },
    });
    again.next();
    expect(() => again.outOfMemory()).toThrow('always has no smaller batch to offer.');
  });

  it('refuses a report without a question', () => {
    const tuner = createTuner();
    expect(() => tuner.report()).toThrow('report() was called without a next() before it.');
    tuner.next();
    tuner.report();
    expect(() => tuner.outOfMemory()).toThrow('outOfMemory() was called without a next() before it.');
  });

  it.each([
    [0, '0'],
    [NaN, 'NaN'],
    [-3, '-3'],
    [1.5, '1.5'],
    [Infinity, 'Infinity'],
    ['60000', '"60000"'],
  ])('refuses %s for the size of the data and for epochs', (given, shown) => {
    const value = given as number;
    const refusal = (name: string) =>
      new RangeError(`${name} is ${shown}; give a whole number of at least 1, or leave it out.`);
    expect(() => createTuner({ datasetSize: value, epochs: 3 })).toThrow(refusal('datasetSize'));
    expect(() => createTuner({ datasetSize: 100, epochs: value })).toThrow(refusal('epochs'));
    expect(() => createTuner({ epochs: value, controller: always({ batchSize: 8 }) })).toThrow(
      refusal('epochs'),
    );
  });

  it('begins to measure, and uses what it is told', () => {
    const tuner = createTuner({ optimizer: 'adam', datasetSize: 60_000, epochs: 20 });
    let measured = 0;
    for (let i = 0; i < 300; i += 1) {
      const { batchSize, parts, measure } = tuner.next();
      const wanted = measure.includes('gradient');
      expect(parts.length).toBe(wanted ? 2 : 1);
      measured += Number(wanted);
      const [a = 0, b = 0] = parts;
      // |G|² = 1 and tr Σ = 20,000: a noise scale of 20,000 examples
      const gradient = { sizes: parts, squaredNorms: [1 + 20_000 / a, 1 + 20_000 / b], crossProduct: a * b };
      tuner.report({ seconds: 0.002 + 0.00002 * batchSize, ...(wanted && { gradient }) });
    }
    expect(measured).toBeGreaterThan(10);
    expect(tuner.history.noise).toMatchObject({ known: true });
    if (tuner.history.noise.known) expect(tuner.history.noise.noiseScale).toBeCloseTo(20_000, 0);
    // The bound: 2,048 takes 20.98 µs for an example where 1,024 takes 21.95, and (1 + (B/φ)²)^¼ grows by 0.2 %.
    expect(tuner.next().batchSize).toBe(2048);
  });
});

describe('gradientMoments', () => {
  it('are the inner products of the parts', async () => {
    const tf = await loadTf();
    const part = (examples: number, a: number[], b: number) => ({
      examples,
      gradient: { w: tf.tensor2d(a, [1, 2]), b: tf.scalar(b) },
    });
    const parts = [part(1, [3, 0], 1), part(2, [1, 2], -1), part(3, [0, 1], 1)];
    const before = tf.memory().numTensors;
    const moments = await gradientMoments(tf, parts);
    // 1·2·(3 − 1) + 1·3·(0 + 1) + 2·3·(2 − 1)
    expect(moments).toEqual({ sizes: [1, 2, 3], squaredNorms: [10, 6, 2], crossProduct: 4 + 3 + 6 });
    expect(tf.memory().numTensors).toBe(before);
    await expect(gradientMoments(tf, parts.slice(0, 1))).rejects.toThrow('There are 1 parts');
    const other = { examples: 1, gradient: { v: tf.scalar(1) } };
    await expect(gradientMoments(tf, [...parts, other])).rejects.toThrow(
      'The parts differ in their variables',
    );
  });

  it('tell a weight penalty apart', async () => {
    const tf = await loadTf();
    const part = (a: number[], b: number) => ({
      examples: 2,
      gradient: { w: tf.tensor1d(a), b: tf.scalar(b) },
    });
    const parts = [part([3, 0], 1), part([1, 2], -1)];
    const { penalty } = await gradientMoments(tf, parts, { penalty: { w: tf.tensor1d([2, 1]) } });
    expect(penalty).toEqual({ squaredNorm: 5, products: [6, 4] });
    expect(await gradientMoments(tf, parts, { penalty: {} })).not.toHaveProperty('penalty');
    await expect(gradientMoments(tf, parts, { penalty: { v: tf.scalar(1) } })).rejects.toThrow(
      'The penalty has a variable "v", which the parts have not; give it by their names.',
    );
  });

  it('are what variableGrads gives on a model', async () => {
    const tf = await loadTf();
    const model = classifier(tf, 'sgd');
    const { xs, ys } = tensorsOf(tf, 20);
    const half = (from: number) => {
      const { grads } = tf.variableGrads(() =>
        tf.mean(
          tf.metrics.categoricalCrossentropy(
            tf.slice(ys, from, 10),
            model.apply(tf.slice(xs, from, 10), { training: true }) as typeof ys,
          ),
        ),
      );
      return { examples: 10, gradient: grads };
    };
    const { squaredNorms, crossProduct } = await gradientMoments(tf, [half(0), half(10)]);
    const [a = NaN, b = NaN] = squaredNorms;
    const product = crossProduct / 100;
    expect(Math.abs(product)).toBeLessThanOrEqual(Math.sqrt(a * b));
    expect(a).toBeGreaterThan(0);
  });
});
