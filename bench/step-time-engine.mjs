// One engine and one model of step-time.mjs, in a process of its own:
//   node bench/step-time-engine.mjs '{"engine":"native","model":"mlp","batchSizes":[32],"repeats":5}'
// It writes a line of JSON. "arms" leaves out all but some of fit, eager, traced, eagerBytes and tracedBytes.
import { tensorSource, tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory, imageSource, loadDataset } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { shuffled } from '@batchwise/sampler';
import { LoopArm } from './loop-arm.mjs';
import { makeModel, inputShape } from './step-time-models.mjs';

/** Examples on the device; batches are taken from them in an order of chance. */
const EXAMPLES = 8192;
/** Seconds of one arm's turn, and the least and most steps of it. */
const [TURN_SECONDS, LEAST_STEPS, MOST_STEPS] = [0.25, 6, 100];
/** Steps before anything is timed: compilation, tracing. */
const WARM_UP_STEPS = 12;

const {
  engine: name,
  model: modelName,
  batchSizes,
  repeats,
  arms: wanted,
} = JSON.parse(process.argv[2] ?? '{}');
const isWanted = (arm) => wanted === undefined || wanted.includes(arm);

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
  convolutions: modelName !== 'mlp',
});
const { tf } = engine;
const dataDir = process.env.BATCHWISE_DATA_DIR && `${process.env.BATCHWISE_DATA_DIR}/mnist`;
const { dataset } = await loadDataset(dataDir ? 'mnist' : 'digits', dataDir ? { dataDir } : {});

/** A source of the same examples twice: rows of tensors, and bytes in host memory. */
async function examples(batchSize) {
  const count = EXAMPLES - (EXAMPLES % batchSize);
  const { images, labels } = dataset.train;
  const shape = inputShape(modelName);
  const { imageShape, classes } = dataset;
  const some = { images: images.subarray(0, count * 784), labels: labels.subarray(0, count), count };
  const flat = shape.length === 1;
  const bytes = imageSource(some, { imageShape, classes, shuffle: true, seed: 1, flat });
  const all = await bytes.epoch(0).take(count);
  const xs = tf.tensor(all.xs.data, [count, ...shape]);
  const ys = tf.tensor(all.ys.data, [...all.ys.shape]);
  return { count, xs, ys, bytes, tensors: tensorSource(shuffled(count, { seed: 1 }), { xs, ys }) };
}

/** Milliseconds per step of model.fit. */
function fitArm({ count, xs, ys }, batchSize) {
  const model = makeModel(tf, modelName);
  return async (steps) => {
    const rows = Math.min(count, steps * batchSize);
    const epochs = Math.ceil((steps * batchSize) / count);
    const part = (tensor) => tf.slice(tensor, 0, rows);
    const [x, y] = [part(xs), part(ys)];
    const started = performance.now();
    await model.fit(x, y, { batchSize, epochs, verbose: 0, shuffle: true });
    const milliseconds = performance.now() - started;
    tf.dispose([x, y]);
    return milliseconds / ((epochs * rows) / batchSize);
  };
}

function loopArms({ bytes, tensors }, batchSize) {
  const isNative = name === 'native';
  // Images come flat or with a channel, not as rows of an LSTM.
  const isImages = modelName !== 'lstm';
  const kinds = {
    eager: { source: tensors, traced: false },
    ...(isNative && { traced: { source: tensors } }),
    ...(isImages && { eagerBytes: { source: bytes, traced: false } }),
    ...(isImages && isNative && { tracedBytes: { source: bytes } }),
  };
  const loop = ({ source, ...options }) =>
    new LoopArm(tfjsBackend(tf, makeModel(tf, modelName), options), source, batchSize);
  const chosen = Object.entries(kinds).filter(([arm]) => isWanted(arm));
  return Object.fromEntries(chosen.map(([arm, kind]) => [arm, loop(kind)]));
}

async function measure(batchSize) {
  const given = await examples(batchSize);
  const loops = loopArms(given, batchSize);
  const turns = Object.entries(loops).map(([arm, loop]) => [arm, (steps) => loop.turn(steps)]);
  const arms = { ...(isWanted('fit') && { fit: fitArm(given, batchSize) }), ...Object.fromEntries(turns) };
  for (const arm of Object.values(arms)) await arm(WARM_UP_STEPS);
  const usual = await (arms.eager ?? Object.values(arms)[0])(LEAST_STEPS);
  const steps = Math.round(Math.min(MOST_STEPS, Math.max(LEAST_STEPS, (1000 * TURN_SECONDS) / usual)));
  const names = Object.keys(arms);
  const times = Object.fromEntries(names.map((arm) => [arm, []]));
  for (let i = 0; i < repeats; i += 1)
    // Which arm comes first goes round, so that a drift of the machine falls on all.
    for (let k = 0; k < names.length; k += 1) {
      const arm = names[(i + k) % names.length];
      times[arm].push(await arms[arm](steps));
    }
  for (const loop of Object.values(loops)) await loop.end();
  tf.dispose([given.xs, given.ys]);
  const summaries = (valueOf) =>
    Object.fromEntries(names.map((arm) => [arm, summary(times[arm].map(valueOf))]));
  return {
    batchSize,
    milliseconds: summaries((value) => value),
    ...(times.fit && { ratios: summaries((value, i) => value / times.fit[i]) }),
  };
}

const results = [];
for (const batchSize of batchSizes) results.push(await measure(batchSize));
const { version, device } = engine;
console.log(
  JSON.stringify({ engine: name, version, device, model: modelName, dataset: dataset.name, results }),
);
process.exit(0);
