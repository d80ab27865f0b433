// The loop's time per step against model.fit: same engine, model, batch and examples, arms interleaved.
//   node bench/step-time.mjs [--backend auto|cuda|native|webgpu|wasm|cpu] [--repeats 7] [--json FILE]
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { tensorSource, tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train } from '@batchwise/core';
import { cacheDirectory, imageSource, loadDataset } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { shuffled } from '@batchwise/sampler';
import { fixed } from '@batchwise/tuner';

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', default: 'auto' },
    repeats: { type: 'string', default: '7' },
    json: { type: 'string' },
  },
});
const repeats = Number(options.repeats);
if (!Number.isInteger(repeats) || repeats < 1) {
  console.error(`--repeats is ${options.repeats}; give a whole number above 0.`);
  process.exit(2);
}
const BATCH_SIZES = [32, 128, 1024];
/** Examples of one timed pass: enough steps to time, few enough to repeat. */
const EXAMPLES = 8192;

const native = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
const engine = await loadEngine(options.backend, { nativePaths: native.filter(Boolean) });
const { tf } = engine;
const dataDir = process.env.BATCHWISE_DATA_DIR && `${process.env.BATCHWISE_DATA_DIR}/mnist`;
const { dataset } = await loadDataset(dataDir ? 'mnist' : 'digits', dataDir ? { dataDir } : {});
const images = {
  images: dataset.train.images.subarray(0, EXAMPLES * 784),
  labels: dataset.train.labels.subarray(0, EXAMPLES),
  count: EXAMPLES,
};
const { imageShape, classes } = dataset;
const source = imageSource(images, { imageShape, classes, shuffle: true, seed: 1, flat: true });

function makeModel() {
  const kernel = (seed) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 50, activation: 'relu', inputShape: [784], ...kernel(1) }),
      tf.layers.dense({ units: 50, activation: 'relu', ...kernel(2) }),
      tf.layers.dense({ units: classes, activation: 'softmax', ...kernel(3) }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy' });
  return model;
}

async function everything() {
  const { xs, ys } = await source.epoch(0).take(EXAMPLES);
  return { xs: tf.tensor(xs.data, [...xs.shape]), ys: tf.tensor(ys.data, [...ys.shape]) };
}

async function secondsOf(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}
const summary = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
};

const { xs, ys } = await everything();
const results = [];
console.log(
  `${engine.name} on ${engine.device}, ${engine.version}, Node ${process.version}, ${cpus().length} cores`,
);
console.log(
  `MLP 784-50-50-10, Adam, ${EXAMPLES} examples of ${dataset.name} per pass, ${repeats} passes per arm`,
);
const COLUMNS = [
  'batch   ',
  'model.fit ms/step',
  'loop, tensors ms/step',
  'loop, bytes ms/step',
  'tensors / fit',
  'bytes / fit',
];
console.log(COLUMNS.map((title, i) => title.padEnd(i === 0 ? 8 : 24)).join(''));
const cell = ({ median, low, high }) =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`.padEnd(24);
for (const batchSize of BATCH_SIZES) {
  const models = [makeModel(), makeModel(), makeModel()];
  const loop = (model, from) =>
    train({
      backend: tfjsBackend(tf, model),
      source: from,
      controller: fixed(batchSize),
      stop: { epochs: 1 },
    });
  const arms = [
    () => models[0].fit(xs, ys, { batchSize, epochs: 1, verbose: 0, shuffle: true }),
    () => loop(models[1], tensorSource(shuffled(EXAMPLES, { seed: 1 }), { xs, ys })),
    () => loop(models[2], source),
  ];
  for (const arm of arms) await arm();
  const milliseconds = arms.map(() => []);
  for (let i = 0; i < repeats; i += 1) {
    // Which arm comes first goes round, so that a drift of the machine falls on all.
    for (let k = 0; k < arms.length; k += 1) {
      const arm = (i + k) % arms.length;
      milliseconds[arm].push((1000 * batchSize * (await secondsOf(arms[arm]))) / EXAMPLES);
    }
  }
  const [fit] = milliseconds;
  const ratios = milliseconds.slice(1).map((own) => summary(own.map((value, i) => value / fit[i])));
  const times = milliseconds.map(summary);
  results.push({ batchSize, fit: times[0], tensors: times[1], bytes: times[2], ratios });
  console.log(String(batchSize).padEnd(8) + [...times, ...ratios].map(cell).join(''));
}
console.log('Medians, with the middle half of the passes in brackets.');
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ engine: { name: engine.name, version: engine.version, device: engine.device }, node: process.version, repeats, results }, null, 2)}\n`,
  );
