import { gradientComponents } from '@batchwise/noise-scale';
import { expectNoLeak } from '@batchwise/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { exactMoments, tfjsBackend } from '../src/index.ts';
import { loadEngine, type LayersTf } from '../src/node/index.ts';
import { batchOf, classifier, tensorsOf } from './models.ts';

let tf: LayersTf;
beforeAll(async () => {
  ({ tf } = await loadEngine('cpu'));
});

const SIZE = 12;

/** |g_k|² of each example and |ḡ|², by one gradient for each example. */
async function oneByOne(model: Parameters<typeof tfjsBackend>[1]) {
  const backend = tfjsBackend(tf, model);
  const norms: number[] = [];
  let mean: Awaited<ReturnType<typeof backend.gradient>>['gradient'] | undefined;
  for (const example of backend.split(batchOf(SIZE), 1)) {
    const { gradient, loss } = await backend.gradient(example);
    loss.dispose();
    norms.push(await backend.dot(gradient, gradient).read());
    mean = backend.accumulate(mean, gradient, 1 / SIZE);
  }
  if (!mean) throw new Error('no examples');
  const ofMean = await backend.dot(mean, mean).read();
  backend.release(mean);
  return { norms, ofMean };
}

describe('exactMoments', () => {
  it('has the norm of each example that its own gradient has, without that gradient', async () => {
    const model = classifier(tf, 'sgd');
    const { norms, ofMean } = await oneByOne(model);
    const examples = tensorsOf(tf, batchOf(SIZE));
    const moments = await expectNoLeak(tf, () => exactMoments(tf, model, examples));
    tf.dispose([examples.xs, examples.ys]);
    expect(moments.sizes).toEqual(Array(SIZE).fill(1));
    moments.squaredNorms.forEach((norm, k) => expect(norm).toBeCloseTo(norms[k] ?? NaN, 5));
    // The sample variance over the examples.
    const spread = norms.reduce((sum, norm) => sum + norm, 0) / SIZE - ofMean;
    const { gradientVarianceTrace, squaredGradientNorm } = gradientComponents(moments);
    expect(gradientVarianceTrace).toBeCloseTo((SIZE / (SIZE - 1)) * spread, 5);
    expect(squaredGradientNorm).toBeCloseTo(ofMean - spread / (SIZE - 1), 5);
  });

  it('leaves penalties out, and stands layers that only reshape, and dense ones without a bias', async () => {
    const kernelInitializer = tf.initializers.glorotUniform({ seed: 5 });
    const layers = (penalty: number) => [
      tf.layers.reshape({ targetShape: [2, 2], inputShape: [4] }),
      tf.layers.flatten(),
      tf.layers.dense({
        units: 5,
        activation: 'relu',
        useBias: false,
        kernelInitializer,
        ...(penalty > 0 && { kernelRegularizer: tf.regularizers.l2({ l2: penalty }) }),
      }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer }),
    ];
    const [plain, penalised] = [0, 0.5].map((penalty) => {
      const model = tf.sequential({ layers: layers(penalty) });
      model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
      return model;
    });
    if (!plain || !penalised) throw new Error('two models');
    const { norms } = await oneByOne(plain);
    const examples = tensorsOf(tf, batchOf(SIZE));
    const moments = await exactMoments(tf, penalised, examples);
    moments.squaredNorms.forEach((norm, k) => expect(norm).toBeCloseTo(norms[k] ?? NaN, 5));
    tf.dispose([examples.xs, examples.ys]);
  });

  it('refuses what it cannot know', async () => {
    const convolution = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 1, kernelSize: 1, inputShape: [2, 2, 1] }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3 }),
      ],
    });
    convolution.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const examples = tensorsOf(tf, batchOf(2));
    await expect(exactMoments(tf, convolution, examples)).rejects.toThrow('the model has a Conv2D');
    const one = tensorsOf(tf, batchOf(1));
    await expect(exactMoments(tf, classifier(tf, 'sgd'), one)).rejects.toThrow('here are 1.');
    const frozen = classifier(tf, 'sgd');
    const [first] = frozen.layers;
    if (first) first.trainable = false;
    await expect(exactMoments(tf, frozen, examples)).rejects.toThrow('is frozen');
    tf.dispose([examples.xs, examples.ys, one.xs, one.ys]);
  });
});
