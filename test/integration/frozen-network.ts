import { tfjsBackend, type ArrayBatch } from '@batchwise/backend';
import type { LayersTf } from '@batchwise/backend/node';
import { train, type BatchController, type BatchSource, type GradientMoments } from '@batchwise/core';
import { builtInDigits, imageSource } from '@batchwise/data';
import { addSample, noiseScale, type NoiseScale, type NoiseScaleState } from '@batchwise/noise-scale';
import { sequential, shuffled, type IndexSampler } from '@batchwise/sampler';

export const EXAMPLES = 512;

export type ModelName = 'mlp' | 'cnn';

/** Few examples, a small model of them and their order. By default frozen: the update is made, at a rate of zero. */
export async function setUp(
  tf: LayersTf,
  {
    name = 'mlp',
    learningRate = 0,
    l2 = 0,
  }: { readonly name?: ModelName; readonly learningRate?: number; readonly l2?: number } = {},
) {
  const { train: digits, imageShape } = builtInDigits({ seed: 3, trainCount: EXAMPLES, testCount: 1 });
  const flat = name === 'mlp';
  const sourceOf = (sampler: IndexSampler) =>
    imageSource(digits, { imageShape, classes: 10, shuffle: sampler, flat });
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 4 });
  const first = flat
    ? [tf.layers.dense({ units: 12, activation: 'relu', inputShape: [784], kernelInitializer })]
    : [
        tf.layers.conv2d({
          filters: 4,
          kernelSize: 5,
          strides: 3,
          activation: 'relu',
          inputShape: [...imageShape],
          kernelInitializer,
        }),
        tf.layers.flatten(),
      ];
  const model = tf.sequential({
    layers: [
      ...first,
      tf.layers.dense({
        units: 10,
        activation: 'softmax',
        kernelInitializer,
        ...(l2 > 0 && { kernelRegularizer: tf.regularizers.l2({ l2 }) }),
      }),
    ],
  });
  // Surer of one class than it should be: a gradient that these few examples suffice to resolve.
  const biases = model.layers.at(-1)?.weights.at(-1);
  biases?.write(tf.tensor1d([3, ...Array<number>(9).fill(0)]));
  model.compile({ optimizer: tf.train.sgd(learningRate), loss: 'categoricalCrossentropy' });
  const backend = tfjsBackend(tf, model);
  return { backend, labels: digits.labels, source: sourceOf(shuffled(EXAMPLES, { seed: 1 })), sourceOf };
}

export type Setting = Awaited<ReturnType<typeof setUp>>;

/** What a measured run needs; a source of another order in place of the set's own. */
export type Measurable = Pick<Setting, 'backend'> & { readonly source: BatchSource<ArrayBatch> };

/** Loss and squared norm of the gradient of each example alone, by its index, and |G|² of the mean gradient. */
export async function exactGradients({ sourceOf, backend }: Pick<Setting, 'sourceOf' | 'backend'>) {
  const cursor = sourceOf(sequential(EXAMPLES)).epoch(0);
  const [losses, squaredNorms]: [number[], number[]] = [[], []];
  let mean: Awaited<ReturnType<typeof backend.gradient>>['gradient'] | undefined;
  for (let batch: ArrayBatch | undefined; (batch = await cursor.take(1));) {
    const { gradient, loss } = await backend.gradient(batch);
    losses.push(await loss.read());
    squaredNorms.push(await backend.dot(gradient, gradient).read());
    mean = backend.accumulate(mean, gradient, 1 / EXAMPLES);
  }
  if (!mean) throw new Error('no examples');
  const squaredNormOfMean = await backend.dot(mean, mean).read();
  backend.release(mean);
  return { losses, squaredNorms, squaredNormOfMean };
}

/** |G|² and tr Σ of the whole data set, from the gradient of each example alone. */
export async function exactTruth(set: Pick<Setting, 'sourceOf' | 'backend'>) {
  const { squaredNorms, squaredNormOfMean } = await exactGradients(set);
  const meanSquaredNorm = squaredNorms.reduce((sum, norm) => sum + norm / EXAMPLES, 0);
  const trace = ((meanSquaredNorm - squaredNormOfMean) * EXAMPLES) / (EXAMPLES - 1);
  // Batches are drawn without replacement, so the estimator sees |G|² of the population that they stand for.
  return { trace, squaredNorm: squaredNormOfMean - trace / EXAMPLES };
}

/** Measures each step, changes nothing. */
export const measuring = (batchSize: number, microBatchSize: number): BatchController<null> => {
  const decision = {
    plan: { batchSize, microBatchSize, learningRateScale: 1 },
    reason: { code: 'measure', text: 'Measures each step.', numbers: {} },
    measure: ['loss', 'gradient'],
    state: null,
  } as const;
  return {
    name: 'measuring',
    measures: decision.measure,
    start: () => decision,
    next: () => decision,
    recover: () => ({ kind: 'giveUp', message: 'gave up' }),
  };
};

/** The moments of `steps` whole batches, in parts of at most `microBatchSize`. */
export async function momentsOf(
  { backend, source }: Measurable,
  { batchSize, microBatchSize, steps }: { batchSize: number; microBatchSize: number; steps: number },
): Promise<GradientMoments[]> {
  const moments: GradientMoments[] = [];
  await train({
    backend,
    source,
    controller: measuring(batchSize, microBatchSize),
    observers: [
      {
        name: 'collect',
        onStepFinished: ({ outcome: { gradient, examples } }) =>
          void (gradient && examples === batchSize && moments.push(gradient)),
      },
    ],
    stop: { examples: steps * batchSize },
  });
  return moments;
}

/** One estimate from every so many steps. */
export function windowsOf(moments: readonly GradientMoments[], steps: number) {
  const windows: NoiseScale[] = [];
  for (let at = 0; at + steps <= moments.length; at += steps) {
    let state: NoiseScaleState | undefined;
    for (const step of moments.slice(at, at + steps))
      state = addSample(state, step, { horizonExamples: Infinity });
    windows.push(noiseScale(state));
  }
  return windows;
}

export const ratioOf = ({ gradientVarianceTrace, squaredGradientNorm }: NoiseScale): number =>
  gradientVarianceTrace / squaredGradientNorm;

export const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
