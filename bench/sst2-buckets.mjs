// Padding and time per epoch of bucketed batches against plain shuffling, on SST-2: same engine, model and sentences,
// arms interleaved. Needs BATCHWISE_DATA_DIR with sst2/train.tsv and dev.tsv.
//   node bench/sst2-buckets.mjs [--backend auto|native|wasm|cpu] [--model lstm|bag] [--repeats 5] [--json FILE]
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train } from '@batchwise/core';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { gathered, sequential, shuffled } from '@batchwise/sampler';
import { bucketed, padSequences, paddingReport } from '@batchwise/sampler-bucket';
import { fixed } from '@batchwise/tuner';
import { readSst2 } from './sst2.mjs';

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', default: 'auto' },
    model: { type: 'string', default: 'lstm' },
    repeats: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const dataDir = process.env.BATCHWISE_DATA_DIR;
if (!dataDir) {
  console.error('BATCHWISE_DATA_DIR is not set; give a folder that holds sst2/train.tsv and sst2/dev.tsv.');
  process.exit(2);
}
const repeats = Number(options.repeats);
const BATCH_SIZES = [32, 128];
/** Padding at the start: the last word is next to the output of the LSTM. */
const SIDE = 'start';

const native = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
const engine = await loadEngine(options.backend, { nativePaths: native.filter(Boolean) });
const { tf } = engine;
const { train: training, dev, vocabularySize } = readSst2(dataDir);
const count = training.lengths.length;

/** What is compared: the order, and what its batches are padded to. */
const ARMS = {
  shuffled: () => ({ sampler: shuffled(count, { seed: 1 }) }),
  bucketed: (batchSize) => ({
    sampler: bucketed(training.lengths, { seed: 1, group: { examples: batchSize } }),
  }),
  'bucketed, to 8s': (batchSize) => {
    const padding = { toMultipleOf: 8 };
    return {
      padding,
      sampler: bucketed(training.lengths, { seed: 1, group: { examples: batchSize }, padding }),
    };
  },
};

function makeModel() {
  const random = { recurrentInitializer: 'glorotUniform' };
  const middle =
    options.model === 'lstm'
      ? tf.layers.lstm({ units: 32, ...random })
      : tf.layers.globalAveragePooling1d({});
  const model = tf.sequential({
    layers: [
      tf.layers.embedding({ inputDim: vocabularySize, outputDim: 32, inputShape: [null] }),
      middle,
      tf.layers.dense({ units: 1, activation: 'sigmoid' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.003), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
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

/** Seconds of one epoch, by the clock and of all cores together; each epoch has its own order. */
async function timeOf({ model, source, batchSize, epoch }) {
  const once = { size: source.size, epoch: (_, startAt) => source.epoch(epoch, startAt) };
  const [started, cpuBefore] = [performance.now(), process.cpuUsage()];
  await train({
    backend: tfjsBackend(tf, model),
    source: once,
    controller: fixed(batchSize),
    stop: { epochs: 1 },
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  return { clock: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
}

function devAccuracy(model) {
  let right = 0;
  for (const indices of batchesOf(sequential(dev.lengths.length), 0, 64)) {
    const { xs, ys } = batchOf(dev)(indices);
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
  `embedding 32, ${options.model}, Adam; ${count} sentences of SST-2 per epoch, ${repeats} epochs per arm`,
);
const COLUMNS = [
  'batch',
  'order',
  'padding',
  'shapes',
  's/epoch',
  'time / shuffled',
  'cpu / shuffled',
  'accuracy',
];
const widths = [7, 18, 10, 8, 10, 24, 24, 8];
const line = (cells) => cells.map((cell, k) => String(cell).padEnd(widths[k])).join('');
console.log(line(COLUMNS));

const results = [];
for (const batchSize of BATCH_SIZES) {
  const arms = Object.entries(ARMS).map(([name, make]) => {
    const { sampler, padding } = make(batchSize);
    const report = paddingReport(batchesOf(sampler, 1, batchSize), training.lengths, padding);
    const source = gathered(sampler, batchOf(training, padding));
    return { name, report, source, model: makeModel(), times: [] };
  });
  for (let epoch = 0; epoch <= repeats; epoch += 1) {
    // Which arm comes first goes round, so that a drift of the machine falls on all.
    for (let k = 0; k < arms.length; k += 1) {
      const { model, source, times } = arms[(epoch + k) % arms.length];
      const time = await timeOf({ model, source, batchSize, epoch });
      // The first epoch meets new shapes.
      if (epoch > 0) times.push(time);
    }
  }
  for (const { name, report, model, times } of arms) {
    const [clock, cpu] = ['clock', 'cpu'].map((kind) =>
      summary(times.map((time, k) => time[kind] / arms[0].times[k][kind])),
    );
    const seconds = median(times.map((time) => time.clock));
    const accuracy = devAccuracy(model);
    results.push({ batchSize, name, report, seconds, clock, cpu, accuracy });
    const shown = [seconds.toFixed(2), ratioText(clock), ratioText(cpu), percent(accuracy)];
    console.log(line([batchSize, name, percent(report.waste), report.shapes, ...shown]));
  }
}
console.log('Medians, with the least and the largest ratio of two epochs of one round in brackets.');
if (options.json) {
  const { name, version, device } = engine;
  writeFileSync(
    options.json,
    `${JSON.stringify({ engine: { name, version, device }, node: process.version, repeats, results }, null, 2)}\n`,
  );
}
