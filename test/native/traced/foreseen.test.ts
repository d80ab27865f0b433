import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import type { LayersTf } from '@batchwise/backend/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE } from '../native-tensorflow.ts';
import { countOperations } from './count-operations.ts';
import { classifier, compiled, NETWORKS } from './models.ts';
import { batchOf, furthest, noise, type Model } from './training.ts';

/** The graph is made at the first, checked at the second, and foreseen at the others. */
const SIZES = [12, 32, 20, 64];

const weighted = (size: number): ArrayBatch => ({
  ...batchOf(size, size),
  weights: [{ data: noise(size, 3).map((value) => value + 1.5), shape: [size] }],
});

interface Case {
  readonly build: (tf: LayersTf) => Model;
  readonly batch: (size: number) => ArrayBatch;
  readonly exampleLosses?: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  'a small network': { build: (tf) => classifier(tf, 'sgd'), batch: (size) => batchOf(size, size) },
  'weighted examples': { build: (tf) => classifier(tf, 'sgd'), batch: weighted },
  'losses by example': {
    build: (tf) => classifier(tf, 'sgd'),
    batch: (size) => batchOf(size, size),
    exampleLosses: true,
  },
  'weighted examples and their losses': {
    build: (tf) => classifier(tf, 'sgd'),
    batch: weighted,
    exampleLosses: true,
  },
  'a penalty on weights': {
    build: (tf) => classifier(tf, 'sgd', { l2: 0.01 }),
    batch: (size) => batchOf(size, size),
  },
  'an embedding with a mask': {
    build: (tf) =>
      compiled(tf, [
        tf.layers.embedding({
          inputDim: 9,
          outputDim: 4,
          inputLength: 5,
          maskZero: true,
          embeddingsInitializer: tf.initializers.glorotUniform({ seed: 1 }),
        }),
        tf.layers.flatten(),
        tf.layers.dense({
          units: 3,
          activation: 'softmax',
          kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }),
        }),
      ]),
    batch: (size) => ({
      ...batchOf(size, size),
      xs: {
        data: Int32Array.from(noise(size * 5, size), (value) => Math.floor((value + 1) * 4.4)),
        shape: [size, 5],
      },
    }),
  },
  ...Object.fromEntries(
    Object.entries(NETWORKS)
      .filter(([name]) => !name.startsWith('layer normalisation'))
      .map(([name, { shape, layers }]): [string, Case] => [
        name,
        { build: (tf) => compiled(tf, layers(tf)), batch: (size) => batchOf(size, size, { shape }) },
      ]),
  ),
};

/** The mean loss, the losses and the gradient of a batch, in one list. */
async function valuesOf(
  backend: ReturnType<typeof tfjsBackend>,
  batch: ArrayBatch,
  exampleLosses: boolean,
): Promise<number[]> {
  const { gradient, loss, exampleLosses: losses } = await backend.gradient(batch, { exampleLosses });
  const values = [await loss.read(), ...(losses ? Array.from(await losses.read()) : [])];
  for (const { tensor } of gradient) if (tensor) values.push(...(await tensor.data()));
  losses?.dispose();
  backend.release(gradient);
  return values;
}

describe.skipIf(WHY_NO_NATIVE)('at a size that was foreseen', () => {
  let tf: LayersTf;
  beforeAll(async () => {
    ({ tf } = await nativeTensorflow());
  });

  it.each(Object.keys(CASES))(
    'the gradient of %s is that kernel by kernel, from the first run on',
    async (name) => {
      const { build, batch, exampleLosses = false } = CASES[name] as Case;
      const model = build(tf);
      const traced = tfjsBackend(tf, model);
      const eager = tfjsBackend(tf, model, { traced: false });
      const asked: number[][] = [];
      for (const size of SIZES) {
        const right = await valuesOf(eager, batch(size), exampleLosses);
        const counts: number[] = [];
        for (let run = 0; run < 2; run += 1) {
          let found: readonly number[] = [];
          counts.push(
            await countOperations(tf, async () => {
              found = await valuesOf(traced, batch(size), exampleLosses);
            }),
          );
          expect(furthest(found, right)).toBeLessThan(1e-5);
        }
        asked.push(counts);
      }
      const [first, checked, ...foreseen] = asked;
      for (const [once = NaN, again = NaN] of [first, checked].flatMap((counts) => (counts ? [counts] : [])))
        expect(once).toBeGreaterThan(again);
      for (const [once, again] of foreseen) expect(once).toBe(again);
      await traced.endRun();
      await eager.endRun();
    },
  );

  it('dropout draws noise of its shape', async () => {
    const model = classifier(tf, 'sgd', { between: [tf.layers.dropout({ rate: 0.5 })] });
    const backend = tfjsBackend(tf, model);
    for (const size of SIZES) {
      const losses = new Set<number>();
      for (let run = 0; run < 4; run += 1) {
        const { gradient, loss } = await backend.gradient(batchOf(size, 1));
        losses.add(await loss.read());
        backend.release(gradient);
      }
      expect([...losses].every(Number.isFinite)).toBe(true);
      expect(losses.size).toBe(4);
    }
    await backend.endRun();
  });

  it('code of others is done kernel by kernel first, though it may be traced', async () => {
    const loss = (truth: Parameters<typeof tf.losses.meanSquaredError>[0], said: typeof truth) =>
      tf.losses.meanSquaredError(truth, said);
    const model = classifier(tf, 'sgd');
    model.compile({ optimizer: 'sgd', loss: loss as never });
    const backend = tfjsBackend(tf, model, { traced: true });
    for (const size of SIZES) {
      const counts: number[] = [];
      for (let run = 0; run < 2; run += 1)
        counts.push(
          await countOperations(tf, async () => void (await valuesOf(backend, batchOf(size, 1), false))),
        );
      const [once = NaN, again = NaN] = counts;
      expect(once).toBeGreaterThan(again);
    }
    await backend.endRun();
  });
});
