// What the two lines cost per update of fitDataset, and fit against model.fit: same engine, model, batch and examples,
// arms interleaved, wall time and processor time. Then the noise scale that pairs of batches measure inside fitDataset
// against that of the loop of core, on the same model, examples and seed.
//   node bench/fit-dataset-cost.mjs [--backend auto|native|wasm|cpu] [--repeats 5] [--epochs 1] [--json FILE]
import { writeFileSync } from 'node:fs';
import { loadEngine } from '@batchwise/backend/node';
import { batchwise, fit } from '@batchwise/callback';
import { tfjsBackend } from '@batchwise/backend';
import { train } from '@batchwise/core';
import { builtInDigits, cacheDirectory, imageSource } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { addSample, noiseScale } from '@batchwise/noise-scale';
import { argumentsOf } from './arguments.mjs';

const options = argumentsOf(import.meta.url, {
  backend: { type: 'string', default: 'wasm' },
  repeats: { type: 'string', default: '5' },
  epochs: { type: 'string', default: '1' },
  json: { type: 'string' },
});
const [repeats, epochs] = ['repeats', 'epochs'].map((name) => {
  const number = Number(options[name]);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${name} is ${options[name]}; give a whole number above 0.`);
  return process.exit(2);
});
const native = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
const {
  tf,
  name: engine,
  version,
} = await loadEngine(options.backend, { nativePaths: native.filter(Boolean) });

const EXAMPLES = 4096;
const digits = builtInDigits({ trainCount: EXAMPLES, testCount: 1 });
const source = imageSource(digits.train, { ...digits, classes: 10, flat: true, shuffle: false });
const { xs, ys } = await source.epoch(0).take(EXAMPLES);
const tensors = { xs: tf.tensor(xs.data, xs.shape), ys: tf.tensor(ys.data, ys.shape) };

function makeModel() {
  const layer = (units, seed, more) =>
    tf.layers.dense({ units, kernelInitializer: tf.initializers.glorotUniform({ seed }), ...more });
  const model = tf.sequential({
    layers: [
      layer(50, 1, { activation: 'relu', inputShape: [784] }),
      layer(50, 2, { activation: 'relu' }),
      layer(10, 3, { activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** A data set of ready batches, such as a program would have without the tuner. */
const plainDataset = (batchSize) => ({
  size: EXAMPLES / batchSize,
  async iterator() {
    const cursor = source.epoch(0);
    return {
      async next() {
        const batch = await cursor.take(batchSize);
        if (!batch) return { done: true, value: null };
        const tensor = ({ data, shape }) => tf.tensor(data, [...shape]);
        return { done: false, value: { xs: tensor(batch.xs), ys: tensor(batch.ys) } };
      },
    };
  },
});

/** The same plan throughout, measured or not. */
function always(batchSize, measure) {
  const plan = { batchSize, microBatchSize: batchSize, learningRateScale: 1 };
  const decision = { plan, reason: { code: 'always', text: 'Said so.', numbers: {} }, measure, state: null };
  return { name: 'always', measures: measure, start: () => decision, next: () => decision };
}

const tuned = (measure) => (model, batchSize) => {
  const { dataset, callback } = batchwise(tf, { source, controller: always(batchSize, measure) });
  return model.fitDataset(dataset, { epochs, verbose: 0, callbacks: [callback] });
};
const arms = {
  fitDataset: (model, batchSize) => model.fitDataset(plainDataset(batchSize), { epochs, verbose: 0 }),
  'fitDataset, tuned, not measured': tuned(['loss', 'seconds']),
  'fitDataset, tuned, each step measured': tuned(['loss', 'seconds', 'gradient']),
  'model.fit': (model, batchSize) => model.fit(tensors.xs, tensors.ys, { batchSize, epochs, verbose: 0 }),
  'fit, not measured': (model, batchSize) =>
    fit(model, tensors.xs, tensors.ys, {
      tf,
      batchSize,
      epochs,
      verbose: 0,
      tuner: { controller: always(batchSize, ['loss', 'seconds']) },
    }),
};

const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const results = [];
console.log(`${engine}, ${version}; medians of ${repeats} (middle half)`);
for (const batchSize of [32, 128, 512]) {
  const models = Object.fromEntries(Object.keys(arms).map((arm) => [arm, makeModel()]));
  const times = Object.fromEntries(Object.keys(arms).map((arm) => [arm, []]));
  for (let repeat = -1; repeat < repeats; repeat += 1)
    for (const [arm, run] of Object.entries(arms)) {
      const started = { wall: performance.now(), processor: process.cpuUsage() };
      await run(models[arm], batchSize);
      const { user, system } = process.cpuUsage(started.processor);
      const updates = (epochs * EXAMPLES) / batchSize;
      const wall = (performance.now() - started.wall) / updates;
      if (repeat >= 0) times[arm].push({ wall, processor: (user + system) / 1000 / updates });
    }
  for (const [arm, list] of Object.entries(times)) {
    const base = times[arm.startsWith('fitDataset') ? 'fitDataset' : 'model.fit'];
    const of = (key) => {
      const ratios = list.map((time, i) => time[key] / base[i][key]);
      return [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(2));
    };
    const [wall, processor] = [of('wall'), of('processor')];
    results.push({ batchSize, arm, milliseconds: list });
    const milliseconds = quantile(
      list.map((time) => time.wall),
      0.5,
    );
    console.log(
      `${String(batchSize).padEnd(6)}${arm.padEnd(40)}${milliseconds.toFixed(2).padStart(7)} ms/update   ` +
        `${wall[1]} (${wall[0]} to ${wall[2]})   of the processor ${processor[1]} (${processor[0]} to ${processor[2]})`,
    );
  }
}

/** The noise scale over a run in which each step is measured, and keeps the moments of each. */
function noiseWatch() {
  let state;
  const onStepFinished = ({ outcome }) => {
    if (outcome.gradient) state = addSample(state, outcome.gradient, { horizonExamples: Infinity });
  };
  return { observer: { name: 'noise', onStepFinished }, estimate: () => noiseScale(state) };
}

const estimates = [];
for (const batchSize of [32, 128]) {
  const controller = always(batchSize, ['loss', 'gradient']);
  const [looped, paired] = [noiseWatch(), noiseWatch()];
  await train({
    backend: tfjsBackend(tf, makeModel()),
    source,
    controller,
    observers: [looped.observer],
    stop: { epochs: 2 },
  });
  const { dataset, callback } = batchwise(tf, { source, controller, observers: [paired.observer] });
  await makeModel().fitDataset(dataset, { epochs: 2, verbose: 0, callbacks: [callback] });
  const [byLoop, byPairs] = [looped.estimate(), paired.estimate()];
  estimates.push({ batchSize, byLoop, byPairs });
  const text = ({ squaredGradientNorm, gradientVarianceTrace, samples }) =>
    `|G|² ${squaredGradientNorm.toPrecision(6)}, tr Σ ${gradientVarianceTrace.toPrecision(6)} (${samples} steps)`;
  console.log(`${String(batchSize).padEnd(6)}loop: ${text(byLoop)}; pairs: ${text(byPairs)}`);
}
if (options.json)
  writeFileSync(options.json, `${JSON.stringify({ engine, version, results, estimates }, null, 2)}\n`);
