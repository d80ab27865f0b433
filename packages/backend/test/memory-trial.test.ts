import { train } from '@batchwise/core';
import { backendMeter, findCeiling, type TrialRequest } from '@batchwise/memory-probe';
import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it, vi } from 'vitest';
import { memoryTrial, tfjsBackend } from '../src/index.ts';
import { loadEngine, type LayersTf } from '../src/node/index.ts';
import { batchOf, classifier, imageClassifier, imagesOf, weightsOf } from './models.ts';
import { halving, journal, rowsOf } from './runs.ts';

vi.setConfig({ testTimeout: 60_000 });

const { tf } = await loadEngine('wasm');

const asked = (batchSize: number, referenceSize: number | null = 2): TrialRequest => ({
  batchSize,
  referenceSize,
  predictedPeakBytes: null,
  signal: undefined,
});

type Model = ReturnType<typeof classifier>;

/** The losses of an epoch in steps of 4, and what the model and its optimizer are afterwards. */
async function trained(model: Model, source = rowsOf(batchOf(16))) {
  const notes = journal();
  const backend = tfjsBackend(tf, model);
  await train({ backend, source, controller: halving(4), stop: { epochs: 1 }, observers: [notes] });
  return { losses: notes.losses, weights: await weightsOf(model), slots: await slotsOf(model) };
}

async function slotsOf({ optimizer }: Model): Promise<readonly (readonly number[])[]> {
  const weights = await optimizer.getWeights();
  return Promise.all(weights.map(async ({ tensor }) => Array.from(await tensor.data())));
}

/** A repeatable stand-in for `Math.random`, as a program may have set one. */
async function withSeededRandom<T>(work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  let state = 1;
  Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}

const droppingOut = (engine: LayersTf): Model => {
  const model = classifier(engine, 'sgd');
  const kernelInitializer = engine.initializers.glorotUniform({ seed: 3 });
  const dropping = engine.sequential({
    layers: [
      ...model.layers.slice(0, 1),
      engine.layers.dropout({ rate: 0.5 }),
      engine.layers.dense({ units: 3, activation: 'softmax', kernelInitializer }),
    ],
  });
  dropping.compile({ optimizer: engine.train.adam(0.01), loss: 'categoricalCrossentropy' });
  return dropping;
};

const models: [string, () => Model][] = [
  ['Adam', () => classifier(tf, tf.train.adam(0.01))],
  ['SGD', () => classifier(tf, tf.train.sgd(0.1))],
  ['momentum', () => classifier(tf, tf.train.momentum(0.1, 0.9))],
  ['RMSProp', () => classifier(tf, tf.train.rmsprop(0.01))],
  ['dropout without a seed', () => droppingOut(tf)],
];

describe('memoryTrial', () => {
  it.each(models)('leaves a new model with %s as it was, bit for bit', async (_name, make) => {
    const [model, twin] = [make(), make()];
    const before = await weightsOf(model);
    const trial = memoryTrial(tf, model, { source: rowsOf(batchOf(16)) });
    const outcome = await expectNoLeak(tf, () => trial(asked(8)));
    expect(outcome).toMatchObject({ kind: 'trained', steps: 2, examples: 8 });
    expect(await weightsOf(model)).toEqual(before);
    expect(await slotsOf(model)).toEqual(await slotsOf(twin));
    const [after, untried] = [
      await withSeededRandom(() => trained(model)),
      await withSeededRandom(() => trained(twin)),
    ];
    expect(after).toEqual(untried);
  });

  it.each(models)('leaves a model in training with %s as it was, bit for bit', async (_name, make) => {
    const [model, twin] = [make(), make()];
    for (const each of [model, twin]) await withSeededRandom(() => trained(each));
    const trial = memoryTrial(tf, model, { source: rowsOf(batchOf(16)), microBatches: 2 });
    await withSeededRandom(async () => {
      await expectNoLeak(tf, async () => expect(await trial(asked(8))).toMatchObject({ kind: 'trained' }));
      const after = await trained(model);
      expect(after).toEqual(await withSeededRandom(() => trained(twin)));
    });
  });

  it('leaves the moving averages of batch normalisation as they were', async () => {
    const [model, twin] = [1, 2].map(() => imageClassifier(tf, 'adam', { normalised: true }));
    if (!model || !twin) throw new Error('two models');
    const images = rowsOf(imagesOf(16, 8));
    const trial = memoryTrial(tf, model, { source: images });
    expect(await trial(asked(8))).toMatchObject({ kind: 'trained' });
    expect(await trained(model, images)).toEqual(await trained(twin, images));
  });

  it('takes no batch statistics for wrong numbers', async () => {
    const model = imageClassifier(tf, 'adam', { normalised: true });
    const trial = memoryTrial(tf, model, { source: rowsOf(imagesOf(600, 8)) });
    const ceiling = await findCeiling(trial, { budgetBytes: 1e9, datasetSize: 600, multipleOf: 3 });
    expect(ceiling).toMatchObject({ batchSize: 600, limitedBy: 'dataset' });
    // That the parts differ is no accident of the model, so this would fail by a tolerance of 2 % alone.
    expect(Math.max(...ceiling.trials.map((trial) => trial.canaryDeviation ?? 0))).toBeGreaterThan(1e-4);
  });

  it('takes a canary that agrees to rounding where nothing depends on the batch', async () => {
    const trial = memoryTrial(tf, classifier(tf, 'sgd'), { source: rowsOf(batchOf(16)) });
    const outcome = await trial(asked(16, 3));
    const canary = (outcome.kind === 'trained' && outcome.canary) || [];
    expect(canary.map(({ quantity, mode }) => `${quantity} in ${mode}`)).toEqual([
      'loss in evaluation',
      'loss in training',
      'gradientNorm in training',
    ]);
    for (const { whole, parts } of canary) expect(Math.abs(whole / parts - 1)).toBeLessThan(1e-5);
  });

  it('reads the heap of wasm, with the bytes of weights and optimizer as the base', async () => {
    const model = classifier(tf, 'sgd');
    const trial = memoryTrial(tf, model, { source: rowsOf(batchOf(4096)) });
    const wasm = (tf.backend() as unknown as { wasm: { _malloc: unknown; _free: unknown } }).wasm;
    const { _malloc: malloc, _free: free } = wasm;
    const [small, large] = [await trial(asked(2048, null)), await trial(asked(4096, null))];
    // 4 · 6 + 6 + 6 · 3 + 3 weights, and the learning rate.
    const known = { baseBytes: 4 * 52, source: 'wasm heap', certainty: 'exact' };
    expect([small, large]).toMatchObject([{ peak: known }, { peak: known }]);
    if (small.kind !== 'trained' || large.kind !== 'trained') throw new Error('did not train');
    // Inputs, targets, the hidden layer before and after its activation, the outputs: more than these at once, and in
    // proportion to the examples.
    const more = (large.peak?.peakBytes ?? 0) - (small.peak?.peakBytes ?? 0);
    expect(more).toBeGreaterThan(2048 * 4 * (4 + 3 + 6 + 6 + 3));
    expect(more).toBeLessThan(8 * 2048 * 4 * (4 + 3 + 6 + 6 + 3));
    expect([wasm._malloc, wasm._free]).toEqual([malloc, free]);
  });

  it('reads how far the heap of wasm must have grown', async () => {
    const heapBytes = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
    const before = heapBytes();
    const trial = memoryTrial(tf, classifier(tf, 'sgd'), { source: rowsOf(batchOf(400_000)) });
    const outcome = await trial(asked(400_000, null));
    const peakBytes = (outcome.kind === 'trained' && outcome.peak?.peakBytes) || 0;
    expect(peakBytes).toBeGreaterThan(before);
    expect(peakBytes).toBeLessThanOrEqual(heapBytes());
    // It grows by a fifth at most beyond what is asked for.
    expect(peakBytes).toBeGreaterThan(heapBytes() / 1.21);
  });

  it('reads the bytes in tensors where a meter of the engine is wanted', async () => {
    const model = classifier(tf, 'sgd');
    const meter = backendMeter(tfjsBackend(tf, model));
    const trial = memoryTrial(tf, model, { source: rowsOf(batchOf(16)), meter });
    expect(await trial(asked(16))).toMatchObject({ peak: { source: 'engine', certainty: 'unknown' } });
  });

  it('throws what is no matter of size', async () => {
    const trial = memoryTrial(tf, classifier(tf, 'sgd'), { source: rowsOf(imagesOf(8, 2)) });
    await expectNoLeak(tf, () => expect(Promise.resolve(trial(asked(8)))).rejects.toThrow(/shape/i));
  });
});

describe('findCeiling on a model', () => {
  it('ends at the examples that there are', async () => {
    const trial = memoryTrial(tf, classifier(tf, 'adam'), { source: rowsOf(batchOf(300)) });
    const ceiling = await expectNoLeak(tf, () => findCeiling(trial, { budgetBytes: 1e9, datasetSize: 300 }));
    expect(ceiling).toMatchObject({ batchSize: 300, limitedBy: 'dataset' });
  });

  it('catches zeros that an engine answers above its limit', async () => {
    const kernel = tf.getKernel('_FusedMatMul', 'wasm');
    if (!kernel) throw new Error('no such kernel');
    const limit = 131;
    tf.unregisterKernel('_FusedMatMul', 'wasm');
    tf.registerKernel({
      ...kernel,
      kernelFunc: (params) => {
        const result = kernel.kernelFunc(params);
        const [output] = Array.isArray(result) ? result : [result];
        if (output && (output.shape.at(-2) ?? 0) > limit) {
          const { backend } = params as unknown as {
            backend: { typedArrayFromHeap(of: unknown): Float32Array };
          };
          backend.typedArrayFromHeap(output).fill(0);
        }
        return result;
      },
    });
    try {
      const trial = memoryTrial(tf, classifier(tf, 'adam'), { source: rowsOf(batchOf(2000)) });
      const ceiling = await findCeiling(trial, { budgetBytes: 1e9, datasetSize: 2000, maxTrials: 14 });
      expect(ceiling.limitedBy).toBe('deviceLimit');
      expect(ceiling.batchSize).toBeGreaterThan(125);
      expect(ceiling.batchSize).toBeLessThanOrEqual(limit);
      expect(ceiling.trials.filter(({ verdict }) => verdict === 'wrong').length).toBeGreaterThan(0);
    } finally {
      tf.unregisterKernel('_FusedMatMul', 'wasm');
      tf.registerKernel(kernel);
    }
  });
});
