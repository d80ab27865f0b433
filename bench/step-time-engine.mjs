// One engine and one model of step-time.mjs, in a process of its own:
//   node bench/step-time-engine.mjs '{"engine":"native","model":"mlp","batchSizes":[32],"repeats":5}'
// It writes a line of JSON.
import { tensorSource, tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train } from '@batchwise/core';
import { cacheDirectory, imageSource, loadDataset } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { shuffled } from '@batchwise/sampler';
import { fixed } from '@batchwise/tuner';
import { makeModel, inputShape } from './step-time-models.mjs';

/** Examples on the device; batches are taken from them in an order of chance. */
const EXAMPLES = 8192;
/** Seconds of one arm's turn, and the least and most steps of it. */
const [TURN_SECONDS, LEAST_STEPS, MOST_STEPS] = [0.25, 6, 100];
/** Steps before anything is timed: compilation, tracing. */
const WARM_UP_STEPS = 12;

const { engine: name, model: modelName, batchSizes, repeats } = JSON.parse(process.argv[2] ?? '{}');

/** A training loop that waits for its turns. */
class LoopArm {
  #steps = 0;
  #until = 0;
  #started = 0;
  #goOn = () => undefined;
  #done = () => undefined;
  #stop = new AbortController();

  constructor(backend, source, batchSize) {
    const observer = { name: 'turns', onStepFinished: () => this.#finished() };
    this.run = train({
      backend,
      source,
      controller: fixed(batchSize),
      stop: { epochs: 1e6 },
      observers: [observer],
      signal: this.#stop.signal,
    });
  }

  /** Milliseconds per step of so many more. */
  turn(steps) {
    this.#until = this.#steps + steps;
    this.#started = performance.now();
    const finished = new Promise((resolve) => (this.#done = () => resolve()));
    this.#goOn();
    return finished.then(() => (performance.now() - this.#started) / steps);
  }

  async end() {
    this.#stop.abort();
    this.#goOn();
    await this.run;
  }

  #finished() {
    this.#steps += 1;
    if (this.#steps < this.#until || this.#stop.signal.aborted) return undefined;
    this.#done();
    return new Promise((resolve) => (this.#goOn = () => resolve()));
  }
}

function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}
function summary(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

const native = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
const engine = await loadEngine(name, {
  nativePaths: native.filter(Boolean),
  convolutions: modelName === 'cnn',
});
const { tf } = engine;
const dataDir = process.env.BATCHWISE_DATA_DIR && `${process.env.BATCHWISE_DATA_DIR}/mnist`;
const { dataset } = await loadDataset(dataDir ? 'mnist' : 'digits', dataDir ? { dataDir } : {});

async function measure(batchSize) {
  const count = EXAMPLES - (EXAMPLES % batchSize);
  const { images, labels } = dataset.train;
  const shape = inputShape(modelName);
  const flat = shape.length === 1;
  const options = { imageShape: dataset.imageShape, classes: dataset.classes, shuffle: true, seed: 1, flat };
  const some = { images: images.subarray(0, count * 784), labels: labels.subarray(0, count), count };
  const bytes = imageSource(some, options);
  const all = await bytes.epoch(0).take(count);
  const xs = tf.tensor(all.xs.data, [count, ...shape]);
  const ys = tf.tensor(all.ys.data, [...all.ys.shape]);
  const tensors = tensorSource(shuffled(count, { seed: 1 }), { xs, ys });
  const loop = (source, options) => new LoopArm(tfjsBackend(tf, makeModel(tf, modelName), options), source, batchSize);
  const loops = {
    eager: loop(tensors, { traced: false }),
    // Rows of an LSTM come from tensors alone: images are two- or one-dimensional.
    ...(modelName !== 'lstm' && { eagerBytes: loop(bytes, { traced: false }) }),
    ...(name === 'native' && { traced: loop(tensors, {}) }),
    ...(name === 'native' && modelName !== 'lstm' && { tracedBytes: loop(bytes, {}) }),
  };
  const fitModel = makeModel(tf, modelName);
  const fit = async (steps) => {
    const part = (tensor) => tensor.slice(0, Math.min(count, steps * batchSize));
    const [x, y] = [part(xs), part(ys)];
    const started = performance.now();
    await fitModel.fit(x, y, { batchSize, epochs: Math.ceil((steps * batchSize) / count), verbose: 0, shuffle: true });
    const milliseconds = performance.now() - started;
    const ran = Math.ceil((steps * batchSize) / count) * (x.shape[0] / batchSize);
    tf.dispose([x, y]);
    return milliseconds / ran;
  };
  const arms = { fit, ...Object.fromEntries(Object.entries(loops).map(([arm, it]) => [arm, (steps) => it.turn(steps)])) };
  for (const arm of Object.values(arms)) await arm(WARM_UP_STEPS);
  const usual = await arms.eager(LEAST_STEPS);
  const steps = Math.round(Math.min(MOST_STEPS, Math.max(LEAST_STEPS, (1000 * TURN_SECONDS) / usual)));
  const names = Object.keys(arms);
  const times = Object.fromEntries(names.map((arm) => [arm, []]));
  for (let i = 0; i < repeats; i += 1)
    // Which arm comes first goes round, so that a drift of the machine falls on all.
    for (let k = 0; k < names.length; k += 1) {
      const arm = names[(i + k) % names.length];
      times[arm].push(await arms[arm](steps));
    }
  for (const it of Object.values(loops)) await it.end();
  tf.dispose([xs, ys]);
  const ratios = Object.fromEntries(
    names.map((arm) => [arm, summary(times[arm].map((value, i) => value / times.fit[i]))]),
  );
  return { batchSize, milliseconds: Object.fromEntries(names.map((arm) => [arm, summary(times[arm])])), ratios };
}

const results = [];
for (const batchSize of batchSizes) results.push(await measure(batchSize));
const { version, device } = engine;
console.log(JSON.stringify({ engine: name, version, device, model: modelName, dataset: dataset.name, results }));
process.exit(0);
