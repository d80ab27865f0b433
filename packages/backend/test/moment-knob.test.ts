import { beforeAll, expect, it } from 'vitest';
import { tfjsBackend, type ArrayBatch } from '../src/index.ts';
import { loadEngine, type LayersTf } from '../src/node/index.ts';
import { weightsOf } from './models.ts';

let tf: LayersTf;
beforeAll(async () => {
  ({ tf } = await loadEngine('cpu'));
});

type Optimizer = Parameters<ReturnType<LayersTf['sequential']>['compile']>[0]['optimizer'];

/** y = w x with a squared loss: at the example (x, 0) the gradient is 2 w x². */
function line(optimizer: Optimizer) {
  const kernelInitializer = tf.initializers.constant({ value: 1 });
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 1, inputShape: [1], useBias: false, kernelInitializer })],
  });
  model.compile({ optimizer, loss: 'meanSquaredError' });
  return { model, backend: tfjsBackend(tf, model) };
}

const example = (x: number): ArrayBatch => ({
  xs: { data: Float32Array.of(x), shape: [1, 1] },
  ys: { data: Float32Array.of(0), shape: [1, 1] },
});

/** w after updates at these inputs, rates and moment scales. */
async function weightAfter(
  { model, backend }: ReturnType<typeof line>,
  updates: readonly (readonly [x: number, rate: number, moments?: number])[],
): Promise<number> {
  for (const [x, rate, moments] of updates) {
    const { gradient, loss } = await backend.gradient(example(x));
    loss.dispose();
    await backend.apply(gradient, rate, moments);
    backend.release(gradient);
  }
  const [weight = NaN] = await weightsOf(model);
  return weight;
}

it('lets the averages of Adam forget κ times as fast, for single updates', async () => {
  const optimizer = tf.train.adam(0.01, 0.9, 0.99, 1e-3);
  const set = line(optimizer);
  let [w, m, v] = [1, 0, 0];
  // TensorFlow.js multiplies its β^t after each update, beginning with the β it was made with.
  let [power1, power2] = [0.9, 0.99];
  const step = (x: number, rate: number, k: number): number => {
    const [beta1, beta2, epsilon] = [1 - k * 0.1, 1 - k * 0.01, 1e-3 / Math.sqrt(k)];
    const g = 2 * w * x * x;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    w -= (rate * 0.01 * (m / (1 - power1))) / (Math.sqrt(v / (1 - power2)) + epsilon);
    [power1, power2] = [power1 * beta1, power2 * beta2];
    return w;
  };
  expect(await weightAfter(set, [[1, 1]])).toBeCloseTo(step(1, 1, 1), 6);
  expect(await weightAfter(set, [[0.3, 2, 4]])).toBeCloseTo(step(0.3, 2, 4), 6);
  expect(await weightAfter(set, [[0.1, 2, 4]])).toBeCloseTo(step(0.1, 2, 4), 6);
  // What is not given is 1, counted from what was configured.
  expect(await weightAfter(set, [[0.5, 1]])).toBeCloseTo(step(0.5, 1, 1), 6);
  await weightAfter(set, [[0.5, 1, 3]]);
  await set.backend.endRun();
  expect(optimizer.getConfig()).toMatchObject({ beta1: 0.9, beta2: 0.99, epsilon: 1e-3 });
});

/** RMSProp of TensorFlow.js as it stands in its code, with what the rate and the averages are corrected by. */
function rmsProp({ momentum = 0 } = {}) {
  const [rate, decay, epsilon] = [0.01, 0.9, 1e-3];
  let [w, s, v, scale] = [1, 0, 0, 1];
  return {
    optimizer: tf.train.rmsprop(rate, decay, momentum, epsilon),
    step(x: number, to: number, k = 1): number {
      const forgets = k * (1 - decay);
      const g = 2 * w * x * x;
      s = (1 - forgets) * s + forgets * g * g;
      v = momentum * ((v * to) / scale) + (to * rate * g) / Math.sqrt(s + epsilon / k);
      scale = to;
      w -= v;
      return w;
    },
  };
}

it('lets the average of RMSProp forget κ times as fast, its ε being under the root', async () => {
  const { optimizer, step } = rmsProp();
  const set = line(optimizer);
  expect(await weightAfter(set, [[1, 1]])).toBeCloseTo(step(1, 1), 6);
  expect(await weightAfter(set, [[0.3, 2, 4]])).toBeCloseTo(step(0.3, 2, 4), 6);
  expect(await weightAfter(set, [[0.1, 2, 4]])).toBeCloseTo(step(0.1, 2, 4), 6);
  expect(await weightAfter(set, [[0.5, 1]])).toBeCloseTo(step(0.5, 1), 6);
  expect(optimizer.getConfig()).toMatchObject({ decay: 0.9, epsilon: 1e-3 });
});

it('brings the velocity of RMSProp to the rate of the update, which it holds', async () => {
  const { optimizer, step } = rmsProp({ momentum: 0.9 });
  const set = line(optimizer);
  for (const [x, rate] of [
    [1, 1],
    [0.5, 3],
    [0.5, 3],
    [0.7, 0.5],
  ] as const)
    expect(await weightAfter(set, [[x, rate]])).toBeCloseTo(step(x, rate), 6);
  // A copy holds the velocity of its time, and weights that are put back with it go on at any rate.
  const copy = await set.backend.snapshot?.();
  await weightAfter(set, [[1, 2]]);
  copy?.restore();
  expect(await weightAfter(set, [[0.6, 4]])).toBeCloseTo(step(0.6, 4), 6);
  // Whoever trains on with the optimizer does so at its own rate.
  await set.backend.endRun();
  const { gradient, loss } = await set.backend.gradient(example(0.8));
  tf.tidy(() => optimizer.applyGradients(gradient as never));
  loss.dispose();
  set.backend.release(gradient);
  expect((await weightsOf(set.model))[0]).toBeCloseTo(step(0.8, 1), 6);
});

it('never asks Adam to forget more than everything', async () => {
  const optimizer = tf.train.adam(0.01, 0.9, 0.999);
  await weightAfter(line(optimizer), [[1, 1, 50]]);
  expect(optimizer.getConfig()['beta1']).toBe(0);
});

it('says what Adam’s second-moment estimate forgets and how many updates are in it', async () => {
  const set = line(tf.train.adam(0.01, 0.9, 0.99));
  expect(set.backend.secondMoment?.()).toEqual({ decay: 0.99, updates: 0 });
  await weightAfter(set, [
    [1, 1],
    [1, 1, 3],
  ]);
  expect(set.backend.secondMoment?.()).toEqual({ decay: 0.99, updates: 2 });
  expect(line(tf.train.momentum(0.01, 0.9)).backend.secondMoment?.()).toBeUndefined();
});

it('has nothing to correct in momentum: its velocity holds no learning rate', async () => {
  const set = line(tf.train.momentum(0.01, 0.9));
  const first = 2 * 1;
  const w1 = 1 - 0.01 * first;
  const second = 2 * w1 * 0.25;
  const velocity = 0.9 * first + second;
  // Goyal et al. 2017 scale the velocity by the ratio of the rates where it holds them; here that would be three times as far.
  expect(
    await weightAfter(set, [
      [1, 1],
      [0.5, 3, 4],
    ]),
  ).toBeCloseTo(w1 - 0.03 * velocity, 6);
});
