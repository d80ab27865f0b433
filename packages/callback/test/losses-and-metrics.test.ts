import { describe, expect, it } from 'vitest';
import { batchwise, fit } from '../src/index.ts';
import { roundedHistory } from './recording.ts';
import { furthest, loadTf, noise, tensorsOf, weightsOf, type Model } from './support.ts';

/*
 * Whatever a model is compiled with: the same training by model.fit, by fit and by fitDataset with the tuned data set, at
 * a fixed batch size.
 */
const tf = await loadTf();
const COUNT = 30;
const { xs, ys } = tensorsOf(tf, COUNT);
const classes = tf.tensor2d(
  Float32Array.from({ length: COUNT }, (_, i) => i % 3),
  [COUNT, 1],
);
const args = { epochs: 2, batchSize: 10, shuffle: false, verbose: 0 } as const;

type Compiled = Partial<Parameters<Model['compile']>[0]>;
type Made = Parameters<typeof weightsOf>[0];

function softmaxModel(compiled: Compiled): Model {
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 5 });
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 3, inputShape: [4], activation: 'softmax', kernelInitializer })],
  });
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError', ...compiled });
  return model;
}

async function expectAlike(make: () => Model, x: unknown = xs, y: unknown = ys): Promise<void> {
  const [plain, ours, fitted] = [make(), make(), make()];
  const expected = await plain.fit(x as never, y as never, args);
  const actual = await fit(ours, x as never, y as never, { tf, ...args, tuner: { policy: 'fixed' } });
  const source = { xs: x, ys: y } as never;
  const tuned = batchwise(tf, { source, policy: 'fixed', batchSize: 10, shuffle: false });
  const dataset = await fitted.fitDataset(tuned.dataset, {
    epochs: 2,
    verbose: 0,
    callbacks: [tuned.callback],
  });
  const weights = await weightsOf(plain as Made);
  expect(furthest(weights, await weightsOf(ours as Made))).toBeLessThan(1e-5);
  expect(furthest(weights, await weightsOf(fitted as Made))).toBeLessThan(1e-5);
  const named = ({ epoch, history }: Parameters<typeof roundedHistory>[0]) =>
    JSON.stringify(roundedHistory({ epoch, history })).replace(/(dense_Dense)\d+/g, '$1');
  expect(named(actual)).toBe(named(expected));
  expect(named(dataset)).toBe(named(expected));
  expect(furthest(weights, await weightsOf(make() as Made))).toBeGreaterThan(0);
}

describe('each loss of TensorFlow.js by its name', () => {
  it.each([
    'meanSquaredError',
    'meanAbsoluteError',
    'meanAbsolutePercentageError',
    'meanSquaredLogarithmicError',
    'squaredHinge',
    'hinge',
    'categoricalHinge',
    'logcosh',
    'categoricalCrossentropy',
    'binaryCrossentropy',
    'kullbackLeiblerDivergence',
    'poisson',
    'cosineProximity',
  ])('%s', (loss) => expectAlike(() => softmaxModel({ loss })));

  it('sparseCategoricalCrossentropy', () =>
    expectAlike(
      () => softmaxModel({ loss: 'sparseCategoricalCrossentropy', metrics: ['acc'] }),
      xs,
      classes,
    ));

  it('and a function of the user', () =>
    expectAlike(() =>
      softmaxModel({ loss: (target, output) => tf.mean(tf.abs(tf.sub(target, output)), -1) }),
    ));
});

describe('each metric of TensorFlow.js by its name', () => {
  it.each([
    'accuracy',
    'binaryAccuracy',
    'categoricalAccuracy',
    'precision',
    'categoricalCrossentropy',
    'mse',
    'mae',
    'mape',
    'cosine',
  ])('%s', (metric) => expectAlike(() => softmaxModel({ metrics: [metric] })));

  it('several, with a function of the user among them', () => {
    const largest = (_target: typeof ys, output: typeof ys) => tf.max(output, -1);
    return expectAlike(() => softmaxModel({ metrics: ['accuracy', largest as never, 'mse'] }));
  });
});

describe('each optimizer of TensorFlow.js by its name', () => {
  it.each(['sgd', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamax'])('%s', (optimizer) =>
    expectAlike(() => softmaxModel({ optimizer })),
  );
});

it('two inputs and two outputs, each output with a loss and a metric of its own', () => {
  const heights = tf.tensor2d(noise(COUNT, 8), [COUNT, 1]);
  const make = () => {
    const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
    const inputs = [tf.input({ shape: [4], name: 'left' }), tf.input({ shape: [4], name: 'right' })];
    const joined = tf.layers.concatenate().apply(inputs as never);
    const outputs = [
      tf.layers
        .dense({ units: 3, activation: 'softmax', kernelInitializer, name: 'kind' })
        .apply(joined as never),
      tf.layers.dense({ units: 1, kernelInitializer, name: 'height' }).apply(joined as never),
    ];
    const model = tf.model({ inputs, outputs: outputs as never });
    model.compile({
      optimizer: tf.train.adam(0.05),
      loss: { kind: 'categoricalCrossentropy', height: 'meanSquaredError' },
      metrics: { kind: 'accuracy', height: 'mae' },
    });
    return model as unknown as Model;
  };
  return expectAlike(make, { left: xs, right: xs }, { kind: ys, height: heights });
});
