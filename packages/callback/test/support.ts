import { createRequire } from 'node:module';
import { loadEngine, type LayersTf } from '@batchwise/backend/node';
import type { BatchController, BatchPlan, Json, Measurement } from '@batchwise/core';

/**
 * TensorFlow.js for these tests: the newest, or, in the project `callback-on-oldest-tfjs`, that of the folder in
 * BATCHWISE_TFJS_FOLDER (a node_modules with tfjs-core, tfjs-layers, tfjs-data and tfjs-backend-cpu).
 */
export async function loadTf(): Promise<LayersTf> {
  const folder = process.env['BATCHWISE_TFJS_FOLDER'];
  if (folder === undefined) return (await loadEngine('cpu')).tf;
  const require = createRequire(`${folder}/of.cjs`);
  require('@tensorflow/tfjs-backend-cpu');
  const tf: LayersTf = { ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
  await tf.setBackend('cpu');
  return tf;
}

/** tfjs-data of the same version. */
export async function loadData(): Promise<typeof import('@tensorflow/tfjs-data')> {
  const folder = process.env['BATCHWISE_TFJS_FOLDER'];
  if (folder === undefined) return import('@tensorflow/tfjs-data');
  return createRequire(`${folder}/of.cjs`)('@tensorflow/tfjs-data');
}

export type Model = ReturnType<LayersTf['sequential']>;
type Optimizer = Parameters<Model['compile']>[0]['optimizer'];

/** Deterministic numbers in −1…1 that look like noise. */
export const noise = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) * 0.999);

const FEATURES = 4;
const CLASSES = 3;

/** Four inputs and one of three classes that depends on them. */
export function rowsOf(count: number, seed = 1): { xs: Float32Array; ys: Float32Array } {
  const xs = noise(count * FEATURES, seed);
  const ys = new Float32Array(count * CLASSES);
  for (let i = 0; i < count; i += 1) {
    const [a = 0, b = 0, c = 0, d = 0] = xs.subarray(i * FEATURES, (i + 1) * FEATURES);
    ys[i * CLASSES + (a + b > 0.2 ? 0 : c - d > 0 ? 1 : 2)] = 1;
  }
  return { xs, ys };
}

/** The same as tensors. */
export function tensorsOf(tf: LayersTf, count: number, seed = 1) {
  const { xs, ys } = rowsOf(count, seed);
  return { xs: tf.tensor2d(xs, [count, FEATURES]), ys: tf.tensor2d(ys, [count, CLASSES]) };
}

/** Dense 4-6-3 with a softmax, the same initial weights each time. */
export function classifier(tf: LayersTf, optimizer: Optimizer, { penalty = 0 } = {}): Model {
  const initializer = (seed: number) => tf.initializers.glorotUniform({ seed });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 6,
        inputShape: [FEATURES],
        activation: 'tanh',
        kernelInitializer: initializer(1),
        ...(penalty > 0 && { kernelRegularizer: tf.regularizers.l2({ l2: penalty }) }),
      }),
      tf.layers.dense({ units: CLASSES, activation: 'softmax', kernelInitializer: initializer(2) }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** All weights in one flat list. */
export async function weightsOf(model: Model): Promise<number[]> {
  const all: number[] = [];
  for (const weight of model.getWeights()) all.push(...Array.from(await weight.data()));
  return all;
}

/** Largest difference of two lists of the same length. */
export function furthest(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);
}

/** The same plan throughout. */
export function always(
  plan: Partial<BatchPlan> & { batchSize: number },
  measure: readonly Measurement[] = ['loss', 'seconds'],
): BatchController<Json> {
  const decision = {
    plan: { microBatchSize: plan.batchSize, learningRateScale: 1, ...plan },
    reason: { code: 'always', text: 'Said so.', numbers: {} },
    measure,
    state: null,
  };
  return {
    name: 'always',
    measures: measure,
    start: () => decision,
    next: () => decision,
    recover: () => ({ kind: 'giveUp', message: 'gave up' }),
  };
}

/** Goes through the sizes, one per step, and begins again. */
export function sizesInTurn(
  sizes: readonly number[],
  measure: readonly Measurement[],
  microBatchSize = Infinity,
): BatchController<Json> {
  const decide = (at: number) => {
    const batchSize = sizes[at % sizes.length] ?? 1;
    return {
      plan: { batchSize, microBatchSize: Math.min(batchSize, microBatchSize), learningRateScale: 1 },
      reason: { code: 'in-turn', text: 'It was its turn.', numbers: { at } },
      measure,
      state: at,
    };
  };
  return {
    name: 'in turn',
    measures: measure,
    start: () => decide(0),
    next: (_step, at) => decide(Number(at) + 1),
    recover: () => ({ kind: 'giveUp', message: 'gave up' }),
  };
}
