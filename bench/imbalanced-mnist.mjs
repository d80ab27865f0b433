// What samplers do for rare classes: MNIST with classes 0 to 4 cut to a fiftieth, balanced accuracy on the whole test set.
//   node bench/imbalanced-mnist.mjs [--seeds 3] [--epochs 4] [--backend auto] [--json FILE]
// Needs MNIST: BATCHWISE_DATA_DIR/mnist, or the mirrors of packages/data.
import { writeFileSync } from 'node:fs';
import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { cosineDecay, train } from '@batchwise/core';
import { cacheDirectory, imageSource, loadDataset } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { classBalanced, shuffled } from '@batchwise/sampler';
import { competence, lossCurriculum } from '@batchwise/sampler-curriculum';
import { effectiveNumberWeights, lossProportional, weighted } from '@batchwise/sampler-weighted';
import { fixed } from '@batchwise/tuner';
import { argumentsOf } from './arguments.mjs';

const options = argumentsOf(import.meta.url, {
  seeds: { type: 'string', default: '3' },
  epochs: { type: 'string', default: '4' },
  backend: { type: 'string', default: 'auto' },
  json: { type: 'string' },
});
const [seeds, epochs] = [options.seeds, options.epochs].map(Number);
if (![seeds, epochs].every((value) => Number.isInteger(value) && value > 0)) {
  console.error('--seeds and --epochs take whole numbers above 0.');
  process.exit(2);
}
const [RARE_CLASSES, RARE_SHARE, BATCH_SIZE, CLASSES] = [5, 1 / 50, 64, 10];

const entries = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
const engine = await loadEngine(options.backend, { nativePaths: entries.filter(Boolean) });
const { tf } = engine;
const dataDir = process.env.BATCHWISE_DATA_DIR && `${process.env.BATCHWISE_DATA_DIR}/mnist`;
const { dataset } = await loadDataset('mnist', dataDir ? { dataDir } : {});

/** The first fiftieth of each rare class, and all of the others. */
function imbalanced({ images, labels }) {
  const totals = Array(CLASSES).fill(0);
  for (const label of labels) totals[label] += 1;
  const seen = Array(CLASSES).fill(0);
  const kept = [];
  labels.forEach((label, index) => {
    seen[label] += 1;
    if (label >= RARE_CLASSES || seen[label] <= totals[label] * RARE_SHARE) kept.push(index);
  });
  return {
    images: Uint8Array.from(kept.flatMap((index) => [...images.subarray(index * 784, (index + 1) * 784)])),
    labels: Uint8Array.from(kept, (index) => labels[index]),
    count: kept.length,
  };
}

const examples = imbalanced(dataset.train);
const { labels, count } = examples;
const perClass = Array.from({ length: CLASSES }, (_, label) => labels.filter((own) => own === label).length);
const classWeights = effectiveNumberWeights(perClass, { beta: 0.999 });
const paced = (ordering) => (seed) =>
  lossCurriculum(shuffled(count, { seed }), {
    pacing: competence({ examples: Math.ceil((epochs * count) / 2) }),
    ordering,
    seed,
  });
const ARMS = {
  shuffled: (seed) => shuffled(count, { seed }),
  balanced: (seed) => classBalanced(labels, { seed }),
  weighted: (seed) =>
    weighted(
      Float64Array.from(labels, (label) => classWeights[label]),
      { seed },
    ),
  importance: (seed) => lossProportional(count, { seed, beta: 1 }),
  hard: (seed) => lossProportional(count, { seed, beta: 0, floor: 0.2 }),
  curriculum: paced('curriculum'),
  'anti-curriculum': paced('anti-curriculum'),
  'random-curriculum': paced('random-curriculum'),
};

function makeModel(seed) {
  const kernel = (layer) => ({
    kernelInitializer: tf.initializers.glorotUniform({ seed: 10 * seed + layer }),
  });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 50, activation: 'relu', inputShape: [784], ...kernel(1) }),
      tf.layers.dense({ units: 50, activation: 'relu', ...kernel(2) }),
      tf.layers.dense({ units: CLASSES, activation: 'softmax', ...kernel(3) }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.002), loss: 'categoricalCrossentropy' });
  return model;
}

const form = { imageShape: dataset.imageShape, classes: CLASSES, flat: true };

/** Mean over the classes of the share of each that is recognised, and that of the rare ones alone. */
async function balancedAccuracy(model) {
  const { xs } = await imageSource(dataset.test, { ...form, shuffle: false })
    .epoch(0)
    .take(dataset.test.count);
  const answers = tf.tidy(() => tf.argMax(model.predict(tf.tensor(xs.data, [...xs.shape])), 1));
  const predicted = await answers.data();
  answers.dispose();
  const right = Array(CLASSES).fill(0);
  const all = Array(CLASSES).fill(0);
  dataset.test.labels.forEach((label, index) => {
    all[label] += 1;
    right[label] += Number(predicted[index] === label);
  });
  const recalls = right.map((number, label) => number / all[label]);
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  return { balanced: mean(recalls), rare: mean(recalls.slice(0, RARE_CLASSES)) };
}

console.log(
  `${engine.name}, ${engine.version}; ${count} examples (${perClass.join(', ')} per class), ${epochs} epochs`,
);
const results = Object.fromEntries(Object.keys(ARMS).map((arm) => [arm, []]));
for (let seed = 1; seed <= seeds; seed += 1)
  for (const [arm, makeSampler] of Object.entries(ARMS)) {
    const model = makeModel(seed);
    await train({
      backend: tfjsBackend(tf, model),
      source: imageSource(examples, { ...form, shuffle: makeSampler(seed) }),
      controller: fixed(BATCH_SIZE),
      schedule: cosineDecay(epochs * count, 0.1),
      stop: { epochs },
    });
    results[arm].push(await balancedAccuracy(model));
    model.dispose();
  }

const percent = (value) => (100 * value).toFixed(1);
console.log('arm                 balanced accuracy, %         of the rare classes, %');
for (const [arm, runs] of Object.entries(results)) {
  const cell = (of) => runs.map((run) => percent(run[of])).join('  ');
  console.log(`${arm.padEnd(20)}${cell('balanced').padEnd(29)}${cell('rare')}`);
}
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ engine: { name: engine.name, version: engine.version }, epochs, perClass, results }, null, 2)}\n`,
  );
