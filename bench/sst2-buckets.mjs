// Padding and time per epoch of bucketed batches against plain shuffling, on SST-2: same engine, model and sentences,
// arms interleaved. Needs BATCHWISE_DATA_DIR with sst2/train.tsv and dev.tsv.
//   node bench/sst2-buckets.mjs [--backend auto|native|wasm|cpu] [--model lstm|bag] [--epochs 10] [--json FILE]
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train } from '@batchwise/core';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { gathered, shuffled } from '@batchwise/sampler';
import { bucketed, padSequences, paddingReport } from '@batchwise/sampler-bucket';
import { fixed } from '@batchwise/tuner';
import { argumentsOf } from './arguments.mjs';
import { readSst2 } from './sst2.mjs';

const options = argumentsOf(import.meta.url, {
  backend: { type: 'string', default: 'auto' },
  model: { type: 'string', default: 'lstm' },
  epochs: { type: 'string', default: '10' },
  json: { type: 'string' },
});
const dataDir = process.env.BATCHWISE_DATA_DIR;
if (!dataDir) {
  console.error('BATCHWISE_DATA_DIR is not set; give a folder that holds sst2/train.tsv and sst2/dev.tsv.');
  process.exit(2);
}
/** At the end of a training most graphs are made, and an epoch takes what it will take from then on. */
const LAST = 5;
const epochs = Number(options.epochs);
if (!Number.isInteger(epochs) || epochs <= LAST) {
  console.error(`--epochs is ${options.epochs}; give a whole number above ${LAST}.`);
  process.exit(2);
}
const BATCH_SIZES = [32, 128];
/** Padding at the start: the last word is next to the output of the LSTM. */
const SIDE = 'start';

const native = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
const engine = await loadEngine(options.backend, { nativePaths: native.filter(Boolean) });
const { tf } = engine;
const { train: training, dev, vocabularySize } = readSst2(dataDir);

/** What is compared: the order, and what its batches are padded to. */
const ARMS = {
  shuffled: (lengths) => ({ sampler: shuffled(lengths.length, { seed: 1 }) }),
  bucketed: (lengths, batchSize) => ({
    sampler: bucketed(lengths, { seed: 1, group: { examples: batchSize } }),
  }),
  'bucketed, to 8s': (lengths, batchSize) => {
    const padding = { toMultipleOf: 8 };
    return { padding, sampler: bucketed(lengths, { seed: 1, group: { examples: batchSize }, padding }) };
  },
};

/** All arms begin with the same weights. */
function makeModel() {
  const seeded = (seed) => tf.initializers.glorotUniform({ seed });
  const middle =
    options.model === 'lstm'
      ? tf.layers.lstm({ units: 32, kernelInitializer: seeded(2), recurrentInitializer: seeded(3) })
      : tf.layers.globalAveragePooling1d({});
  const embedded = { inputDim: vocabularySize, outputDim: 32, inputShape: [null] };
  const model = tf.sequential({
    layers: [
      tf.layers.embedding({ ...embedded, embeddingsInitializer: seeded(1) }),
      middle,
      tf.layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: seeded(4) }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.003), loss: 'binaryCrossentropy' });
  return model;
}

const batchOf =
  ({ sequences, labels }, padding) =>
  (indices) => {
    const rows = Array.from(indices, (index) => sequences[index]);
    const { data, shape } = padSequences(rows, { side: SIDE, ...(padding && { padding }) });
    const ys = Float32Array.from(indices, (index) => labels[index]);
    return { xs: { data, shape }, ys: { data: ys, shape: [indices.length, 1] } };
  };

/** All batches of an epoch. */
function* batchesOf(sampler, epoch, batchSize) {
  const cursor = sampler.epoch(epoch);
  for (let batch = cursor.take(batchSize); batch.length > 0; batch = cursor.take(batchSize)) yield batch;
}

/**
 * A training that waits after each epoch until it is asked for the next, since graphs that were made in an epoch serve the
 * later ones. `epoch()` answers its seconds, by the clock and of all cores together.
 */
function startTraining({ model, source, batchSize }) {
  let [go, finished, run] = [() => {}, () => {}, undefined];
  const turns = {
    name: 'turns',
    onEpochFinished({ epoch }) {
      finished();
      if (epoch + 1 < epochs) return new Promise((resolve) => (go = resolve));
    },
  };
  const begin = () =>
    train({
      backend: tfjsBackend(tf, model),
      source,
      controller: fixed(batchSize),
      stop: { epochs },
      observers: [turns],
    });
  return async () => {
    const [started, cpuBefore] = [performance.now(), process.cpuUsage()];
    const done = new Promise((resolve) => (finished = resolve));
    if (run) go();
    else run = begin();
    await Promise.race([done, run]);
    const { user, system } = process.cpuUsage(cpuBefore);
    return { clock: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
  };
}

/** In batches like those it was trained on: the model sees padding, and knows only so much of it. */
function devAccuracy(model, make) {
  const { sampler, padding } = make(dev.lengths, 32);
  let right = 0;
  for (const indices of batchesOf(sampler, 0, 32)) {
    const { xs, ys } = batchOf(dev, padding)(indices);
    const scores = tf.tidy(() => model.predict(tf.tensor(xs.data, [...xs.shape])).dataSync());
    ys.data.forEach((label, row) => (right += label === Number(scores[row] > 0.5) ? 1 : 0));
  }
  return right / dev.lengths.length;
}

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
};
const summary = (ratios) => ({ median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) });
const ratioText = (ratio) =>
  `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

console.log(
  `${engine.name} on ${engine.device}, ${engine.version}, Node ${process.version}, ${cpus().length} cores`,
);
console.log(
  `embedding 32, ${options.model}, Adam; ${training.lengths.length} sentences of SST-2 per epoch, ${epochs} epochs`,
);
const COLUMNS = [
  'batch',
  'order',
  'padding',
  'shapes',
  'all s',
  's/epoch',
  'time / shuffled',
  'cpu / shuffled',
  'accuracy',
];
const widths = [7, 18, 10, 8, 8, 10, 24, 24, 8];
const line = (cells) => cells.map((cell, k) => String(cell).padEnd(widths[k])).join('');
console.log(line(COLUMNS));

const results = [];
for (const batchSize of BATCH_SIZES) {
  const arms = Object.entries(ARMS).map(([name, make]) => {
    const { sampler, padding } = make(training.lengths, batchSize);
    const report = paddingReport(batchesOf(sampler, 1, batchSize), training.lengths, padding);
    const source = gathered(sampler, batchOf(training, padding));
    const model = makeModel();
    return { name, make, report, model, epoch: startTraining({ model, source, batchSize }), times: [] };
  });
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    // Which arm comes first goes round, so that a drift of the machine falls on all.
    for (let k = 0; k < arms.length; k += 1) {
      const arm = arms[(epoch + k) % arms.length];
      arm.times.push(await arm.epoch());
    }
  }
  const last = (times) => times.slice(-LAST);
  for (const { name, make, report, model, times } of arms) {
    const [clock, cpu] = ['clock', 'cpu'].map((kind) =>
      summary(last(times).map((time, k) => time[kind] / last(arms[0].times)[k][kind])),
    );
    const seconds = median(last(times).map((time) => time.clock));
    const total = times.reduce((sum, time) => sum + time.clock, 0);
    const accuracy = devAccuracy(model, make);
    results.push({ batchSize, name, report, seconds, total, clock, cpu, accuracy, times });
    const shown = [total.toFixed(1), seconds.toFixed(2), ratioText(clock), ratioText(cpu), percent(accuracy)];
    console.log(line([batchSize, name, percent(report.waste), report.shapes, ...shown]));
  }
}
console.log(
  `Seconds of all ${epochs} epochs, then medians of the last ${LAST}, with the least and the largest ratio of two of one round.`,
);
if (options.json) {
  const { name, version, device } = engine;
  writeFileSync(
    options.json,
    `${JSON.stringify({ engine: { name, version, device }, node: process.version, epochs, results }, null, 2)}\n`,
  );
}
