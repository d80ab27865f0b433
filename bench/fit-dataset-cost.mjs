// What the two lines cost per update of fitDataset, and fit against model.fit: same engine, model, batch and examples,
// arms interleaved, processor time (other programs on the machine change it less than wall time).
//   node bench/fit-dataset-cost.mjs [--backend auto|native|wasm|cpu] [--repeats 5] [--json FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadEngine } from '@batchwise/backend/node';
import { batchwise, fit } from '@batchwise/callback';
import { builtInDigits, cacheDirectory, imageSource } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', default: 'wasm' },
    repeats: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const repeats = Number(options.repeats);
if (!Number.isInteger(repeats) || repeats < 1) {
  console.error(`--repeats is ${options.repeats}; give a whole number above 0.`);
  process.exit(2);
}
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
  return model.fitDataset(dataset, { epochs: 1, verbose: 0, callbacks: [callback] });
};
const arms = {
  fitDataset: (model, batchSize) => model.fitDataset(plainDataset(batchSize), { epochs: 1, verbose: 0 }),
  'fitDataset, tuned, not measured': tuned(['loss', 'seconds']),
  'fitDataset, tuned, each step measured': tuned(['loss', 'seconds', 'gradient']),
  'model.fit': (model, batchSize) => model.fit(tensors.xs, tensors.ys, { batchSize, epochs: 1, verbose: 0 }),
  'fit, not measured': (model, batchSize) =>
    fit(model, tensors.xs, tensors.ys, {
      tf,
      batchSize,
      epochs: 1,
      verbose: 0,
      tuner: { controller: always(batchSize, ['loss', 'seconds']) },
    }),
};

const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const results = [];
console.log(`${engine}, ${version}; processor time, medians of ${repeats} (middle half)`);
for (const batchSize of [32, 128, 512]) {
  const models = Object.fromEntries(Object.keys(arms).map((arm) => [arm, makeModel()]));
  const times = Object.fromEntries(Object.keys(arms).map((arm) => [arm, []]));
  for (let repeat = -1; repeat < repeats; repeat += 1)
    for (const [arm, run] of Object.entries(arms)) {
      const started = process.cpuUsage();
      await run(models[arm], batchSize);
      const { user, system } = process.cpuUsage(started);
      if (repeat >= 0) times[arm].push((user + system) / 1000 / (EXAMPLES / batchSize));
    }
  for (const [arm, list] of Object.entries(times)) {
    const base = times[arm.startsWith('fitDataset') ? 'fitDataset' : 'model.fit'];
    const ratios = list.map((time, i) => time / base[i]);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(2));
    results.push({ batchSize, arm, milliseconds: list, ratios });
    console.log(
      `${String(batchSize).padEnd(6)}${arm.padEnd(40)}${quantile(list, 0.5).toFixed(2).padStart(7)} ms/update   ` +
        `${middle} (${low} to ${high})`,
    );
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ engine, version, results }, null, 2)}\n`);
