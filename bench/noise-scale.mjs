// The gradient noise scale of MNIST through a run, beside that of McCandlish et al. 2018 (arXiv 1812.06162), table 1:
// B_simple 50 at the start and 900 on average over the training.
//
//   npm run build && node bench/noise-scale.mjs [--engine native|wasm] [--epochs 5] [--batch 128] [--json FILE]
//
// Every step is measured, in two halves. "start" is the ratio of the averages of the first 50 steps; "average" is the mean
// over windows of 100 steps, weighted by nothing, as each has as many examples; windows whose gradient drowns in its noise
// are counted apart. MNIST is taken from BATCHWISE_DATA_DIR/mnist or the cache.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train } from '@batchwise/core';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { addSample, noiseScale } from '@batchwise/noise-scale';
import { argumentsOf } from './arguments.mjs';
import { TASKS } from './time-to-target/tasks.mjs';

const options = argumentsOf(import.meta.url, {
  engine: { type: 'string', default: 'native' },
  epochs: { type: 'string', default: '5' },
  batch: { type: 'string', default: '128' },
  json: { type: 'string' },
});
const [epochs, batchSize] = [Number(options.epochs), Number(options.batch)];
const PAPER = { start: 50, average: 900 };
const START = 50;
const WINDOW = 100;

const native = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
const engine = await loadEngine(options.engine, { nativePaths: native.filter(Boolean) });
const { tf } = engine;

const plan = { batchSize, microBatchSize: batchSize, learningRateScale: 1 };
const decision = {
  plan,
  reason: { code: 'measure', text: 'Each step is measured.', numbers: {} },
  measure: ['loss', 'gradient'],
  state: null,
};
const everyStep = {
  name: 'measures every step',
  measures: decision.measure,
  start: () => decision,
  next: () => decision,
  recover: ({ kind }) => ({ kind: 'giveUp', message: `The run ended with ${kind}.` }),
};

const ratioOf = (moments) => {
  const horizonExamples = Infinity;
  return noiseScale(moments.reduce((state, step) => addSample(state, step, { horizonExamples }), undefined));
};

async function measured(name) {
  const data = await TASKS[name].load({});
  const model = data.model(tf, 1);
  model.compile({ optimizer: tf.train.sgd(0.1), loss: data.loss, metrics: data.metrics });
  const moments = [];
  const { validation } = await train({
    backend: tfjsBackend(tf, model),
    source: data.train(1),
    controller: everyStep,
    stop: { epochs },
    validation: { source: data.validation() },
    observers: [
      {
        name: 'moments',
        onStepFinished: ({ outcome }) =>
          void (outcome.gradient && outcome.examples === batchSize && moments.push(outcome.gradient)),
      },
    ],
  });
  model.dispose();
  const windows = [];
  for (let at = 0; at + WINDOW <= moments.length; at += WINDOW)
    windows.push(ratioOf(moments.slice(at, at + WINDOW)));
  const known = windows.filter((window) => window.known).map((window) => window.noiseScale);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const start = ratioOf(moments.slice(0, START));
  return {
    network: name,
    start: start.known ? start.noiseScale : null,
    startInterval: start.known ? [start.lower, start.upper] : null,
    average: mean(known),
    geometricMean: Math.exp(mean(known.map(Math.log))),
    windows: windows.length,
    unresolvedWindows: windows.length - known.length,
    byWindow: windows.map((window) => (window.known ? window.noiseScale : null)),
    accuracy: validation?.metrics.acc ?? null,
  };
}

const results = [];
for (const name of ['mnist-mlp', 'mnist-cnn']) results.push(await measured(name));

const figure = (value) => (value === null ? 'not resolved' : value.toPrecision(3));
console.log(`MNIST, SGD 0.1, batches of ${batchSize}, ${epochs} epochs, ${engine.name} on ${engine.device}`);
console.log(
  `${'network'.padEnd(12)}${'start'.padEnd(10)}${'average'.padEnd(10)}geometric  unresolved  accuracy`,
);
for (const { network, start, average, geometricMean, windows, unresolvedWindows, accuracy } of results)
  console.log(
    `${network.padEnd(12)}${figure(start).padEnd(10)}${figure(average).padEnd(10)}${figure(geometricMean).padEnd(11)}` +
      `${`${unresolvedWindows} of ${windows}`.padEnd(12)}${accuracy?.toFixed(4)}`,
  );
console.log(`${'paper'.padEnd(12)}${String(PAPER.start).padEnd(10)}${PAPER.average}`);
if (options.json)
  writeFileSync(join(options.json), `${JSON.stringify({ paper: PAPER, results }, null, 2)}\n`);
