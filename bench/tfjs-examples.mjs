// The documented examples of TensorFlow.js, each trained as it is, with the two lines added, and by fit; arms interleaved.
//   node bench/tfjs-examples.mjs [--backend auto|native|wasm|cpu] [--repeats 3] [--only NAME] [--json FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import { loadEngine } from '@batchwise/backend/node';
import { batchwise, fit } from '@batchwise/callback';
import { cacheDirectory, imageSource, loadDataset } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { seededRandom } from '@batchwise/sampler';
import { argumentsOf } from './arguments.mjs';
import { iris } from './iris.mjs';

const options = argumentsOf(import.meta.url, {
  backend: { type: 'string', default: 'wasm' },
  repeats: { type: 'string', default: '3' },
  only: { type: 'string' },
  json: { type: 'string' },
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

const random = seededRandom(7, 0);
/** A number from a normal distribution, by the sum of twelve even ones. */
const normal = () => Array.from({ length: 12 }, () => random.below(1e6) / 1e6).reduce((a, b) => a + b) - 6;
const oneHot = (classes, count) => {
  const rows = new Float32Array(classes.length * count);
  classes.forEach((value, i) => (rows[i * count + value] = 1));
  return tf.tensor2d(rows, [classes.length, count]);
};
const glorot = (seed) => tf.initializers.glorotUniform({ seed });
const dense = (units, activation, { seed, ...more }) =>
  tf.layers.dense({ units, activation, kernelInitializer: glorot(seed), ...more });

/** Each: what it is called, its data, its model by seed, its arguments, and what counts in the end. */
const examples = {
  async 'MNIST convnet'() {
    const dir = process.env.BATCHWISE_DATA_DIR && `${process.env.BATCHWISE_DATA_DIR}/mnist`;
    const { dataset } = await loadDataset(dir ? 'mnist' : 'digits', dir ? { dataDir: dir } : {});
    const count = 3000;
    const images = {
      images: dataset.train.images.subarray(0, count * 784),
      labels: dataset.train.labels.subarray(0, count),
      count,
    };
    const batch = await imageSource(images, { ...dataset, shuffle: false })
      .epoch(0)
      .take(count);
    const conv = (filters, seed, more = {}) =>
      tf.layers.conv2d({
        filters,
        kernelSize: 3,
        activation: 'relu',
        kernelInitializer: glorot(seed),
        ...more,
      });
    return {
      xs: tf.tensor(batch.xs.data, batch.xs.shape),
      ys: tf.tensor(batch.ys.data, batch.ys.shape),
      makeModel(seed) {
        const model = tf.sequential({
          layers: [
            conv(16, seed, { inputShape: [28, 28, 1] }),
            tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }),
            conv(32, seed + 1),
            tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }),
            conv(32, seed + 2),
            tf.layers.flatten(),
            dense(64, 'relu', { seed: seed + 3 }),
            dense(10, 'softmax', { seed: seed + 4 }),
          ],
        });
        model.compile({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
        return model;
      },
      args: { batchSize: 320, epochs: 6, validationSplit: 0.15 },
      metric: 'val_acc',
    };
  },

  async iris() {
    const order = Array.from({ length: 150 }, (_, i) => (i * 7) % 150);
    const features = order.flatMap((i) => [...iris.features.subarray(4 * i, 4 * i + 4)]);
    return {
      xs: tf.tensor2d(features, [150, 4]),
      ys: oneHot(
        order.map((i) => iris.classes[i]),
        3,
      ),
      makeModel(seed) {
        const model = tf.sequential({
          layers: [dense(10, 'sigmoid', { seed, inputShape: [4] }), dense(3, 'softmax', { seed: seed + 1 })],
        });
        model.compile({
          optimizer: tf.train.adam(0.01),
          loss: 'categoricalCrossentropy',
          metrics: ['accuracy'],
        });
        return model;
      },
      args: { batchSize: 32, epochs: 200, validationSplit: 0.2 },
      metric: 'val_acc',
    };
  },

  async 'housing regression'() {
    // As many rows and columns as the Boston housing prices, by a rule of their own with noise.
    const rows = Array.from({ length: 333 }, () => Array.from({ length: 12 }, normal));
    const price = ([a, b, c, d, e]) =>
      22 + 4 * a - 3 * b + 2 * Math.tanh(c * d) + 3 * Math.max(0, e) + normal();
    return {
      xs: tf.tensor2d(rows),
      ys: tf.tensor2d(rows.map((row) => [price(row)])),
      makeModel(seed) {
        const model = tf.sequential({
          layers: [
            dense(50, 'sigmoid', { seed, inputShape: [12] }),
            dense(50, 'sigmoid', { seed: seed + 1 }),
            dense(1, 'linear', { seed: seed + 2 }),
          ],
        });
        model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
        return model;
      },
      args: { batchSize: 40, epochs: 200, validationSplit: 0.2 },
      metric: 'val_loss',
    };
  },

  async 'LSTM text'() {
    const text = ['README.md', 'docs/architecture.md', 'docs/performance.md']
      .map((name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
      .join('\n')
      .toLowerCase()
      .replace(/[^a-z ,.\n]/g, '');
    const characters = [...new Set(text)].sort();
    const codes = [...text].map((character) => characters.indexOf(character));
    const [length, step] = [20, 3];
    const starts = Array.from({ length: 2000 }, (_, i) => (i * step) % (codes.length - length - 1));
    const xs = new Float32Array(starts.length * length * characters.length);
    starts.forEach((start, i) => {
      for (let k = 0; k < length; k += 1) xs[(i * length + k) * characters.length + codes[start + k]] = 1;
    });
    return {
      xs: tf.tensor3d(xs, [starts.length, length, characters.length]),
      ys: oneHot(
        starts.map((start) => codes[start + length]),
        characters.length,
      ),
      makeModel(seed) {
        const model = tf.sequential({
          layers: [
            tf.layers.lstm({
              units: 64,
              inputShape: [length, characters.length],
              kernelInitializer: glorot(seed),
              recurrentInitializer: glorot(seed + 1),
            }),
            dense(characters.length, 'softmax', { seed: seed + 2 }),
          ],
        });
        model.compile({ optimizer: tf.train.rmsprop(0.01), loss: 'categoricalCrossentropy' });
        return model;
      },
      args: { batchSize: 128, epochs: 5, validationSplit: 0.0625 },
      metric: 'val_loss',
    };
  },
};

/** The rows of a `validationSplit`, as `fitDataset` wants them. */
function split({ xs, ys, args }) {
  const at = Math.floor(xs.shape[0] * (1 - args.validationSplit));
  const part = (tensor, from, count) => tf.slice(tensor, from, count);
  const rest = xs.shape[0] - at;
  return { xs: part(xs, 0, at), ys: part(ys, 0, at), held: [part(xs, at, rest), part(ys, at, rest)] };
}

const arms = {
  'model.fit': (model, { xs, ys, args }) => model.fit(xs, ys, { ...args, verbose: 0 }),
  'fitDataset, tuned': async (model, example, seed) => {
    const { args, parts } = example;
    const source = { xs: parts.xs, ys: parts.ys };
    const tuned = batchwise(tf, { source, batchSize: args.batchSize, seed });
    const history = await model.fitDataset(tuned.dataset, {
      epochs: args.epochs,
      verbose: 0,
      validationData: parts.held,
      callbacks: [tuned.callback],
    });
    return { ...history, batches: tuned.history };
  },
  fit: (model, { xs, ys, args }, seed) => fit(model, xs, ys, { tf, ...args, verbose: 0, tuner: { seed } }),
};

/** Mean and standard error of what an arm has more than `model.fit`; orders differ, by `Math.random` there. */
function more(list, plain) {
  const differences = list.map(({ metric }, i) => metric - plain[i].metric);
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (differences.length - 1) / differences.length) };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const results = [];
console.log(`${engine}, ${version}; medians of ${repeats}`);
for (const [name, open] of Object.entries(examples)) {
  if (options.only && options.only !== name) continue;
  const example = await open();
  example.parts = split(example);
  const runs = Object.fromEntries(Object.keys(arms).map((arm) => [arm, []]));
  for (let repeat = 0; repeat < repeats; repeat += 1)
    for (const [arm, train] of Object.entries(arms)) {
      const model = example.makeModel(100 * repeat + 1);
      const started = { wall: performance.now(), cpu: process.cpuUsage() };
      const { history, batches } = await train(model, example, repeat);
      const seconds = (performance.now() - started.wall) / 1000;
      const { user, system } = process.cpuUsage(started.cpu);
      const { tuningSeconds = 0, trainingSeconds = 1 } = batches?.totals ?? {};
      runs[arm].push({
        seconds,
        // Other programs on the machine change this less.
        processorSeconds: (user + system) / 1e6,
        metric: history[example.metric].at(-1),
        lastBatch: batches?.changes.at(-1).batchSize ?? example.args.batchSize,
        tuningShare: tuningSeconds / (trainingSeconds + tuningSeconds),
      });
      model.dispose();
    }
  for (const [arm, list] of Object.entries(runs)) {
    const of = (key) => median(list.map((run) => run[key]));
    const ratio = (key) => median(list.map((run, i) => run[key] / runs['model.fit'][i][key])).toFixed(2);
    const { mean, error } = more(list, runs['model.fit']);
    results.push({ example: name, arm, metric: example.metric, more: { mean, error }, runs: list });
    console.log(
      `${name.padEnd(20)}${arm.padEnd(20)}${example.metric} ${of('metric').toFixed(4)} (${mean.toFixed(4)} ± ${error.toFixed(4)} more)   ${of('seconds').toFixed(2)} s, ` +
        `${ratio('seconds')} of model.fit; of the processor ${ratio('processorSeconds')}   ` +
        `last batch ${list.map(({ lastBatch }) => lastBatch).join(', ')}   ` +
        `tuning ${(100 * of('tuningShare')).toFixed(1)} %`,
    );
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ engine, version, results }, null, 2)}\n`);
