import type { ArrayBatch } from '../src/index.ts';
import type { LayersTf } from '../src/node/index.ts';

/** Deterministic numbers in −1…1 that look like noise. */
export const noise = (length: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) * 0.999);

const oneHot = (size: number, classes: number): Float32Array<ArrayBuffer> => {
  const rows = new Float32Array(size * classes);
  for (let i = 0; i < size; i += 1) rows[i * classes + ((i * 7 + 3) % classes)] = 1;
  return rows;
};

/** Always the same examples: four inputs, three classes. */
export const batchOf = (size: number, seed = 1): ArrayBatch => ({
  xs: { data: noise(size * 4, seed), shape: [size, 4] },
  ys: { data: oneHot(size, 3), shape: [size, 3] },
});

/** Always the same images, `side` by `side` in one channel, in three classes. */
export const imagesOf = (size: number, side: number): ArrayBatch => ({
  xs: { data: noise(size * side * side, 1), shape: [size, side, side, 1] },
  ys: { data: oneHot(size, 3), shape: [size, 3] },
});

/** The same batch as tensors, as `fit` takes them. */
export function tensorsOf(
  tf: LayersTf,
  batch: ArrayBatch,
): { xs: ReturnType<LayersTf['tensor']>; ys: ReturnType<LayersTf['tensor']> } {
  const { xs, ys } = batch;
  if (!('data' in xs) || !('data' in ys)) throw new Error('one input, one output');
  return { xs: tf.tensor(xs.data, [...xs.shape]), ys: tf.tensor(ys.data, [...ys.shape]) };
}

type Optimizer = Parameters<ReturnType<LayersTf['sequential']>['compile']>[0]['optimizer'];

/** Dense 4-6-3 with a softmax, the same initial weights each time. */
export function classifier(tf: LayersTf, optimizer: Optimizer, { penalty = 0 } = {}) {
  const initializer = (seed: number) => tf.initializers.glorotUniform({ seed });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 6,
        inputShape: [4],
        activation: 'tanh',
        kernelInitializer: initializer(1),
        ...(penalty > 0 && { kernelRegularizer: tf.regularizers.l2({ l2: penalty }) }),
      }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: initializer(2) }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** All weights in one flat list. */
export async function weightsOf(model: {
  getWeights(): { data(): Promise<ArrayLike<number>> }[];
}): Promise<number[]> {
  const all: number[] = [];
  for (const weight of model.getWeights()) all.push(...Array.from(await weight.data()));
  return all;
}

/** Largest difference of two lists of the same length. */
export function furthest(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);
}

/** A convolution, batch normalisation where it is asked for, and a softmax; the same initial weights each time. */
export function imageClassifier(
  tf: LayersTf,
  optimizer: Optimizer,
  { side = 8, filters = 4, normalised = false } = {},
) {
  const kernel = (seed: number) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  const model = tf.sequential();
  model.add(
    tf.layers.conv2d({
      filters,
      kernelSize: 3,
      inputShape: [side, side, 1],
      activation: 'relu',
      ...kernel(1),
    }),
  );
  if (normalised) model.add(tf.layers.batchNormalization());
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 3, activation: 'softmax', ...kernel(2) }));
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}
