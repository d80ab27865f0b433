// Two parts of engine-settings.mjs, each in a process of its own: node bench/engine-settings-parts.mjs '{"part":"products"}'
// It writes a line of JSON.
import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { makeModel, inputShape } from './step-time-models.mjs';

/** Products of the reference MLP: rows are the batch. */
const PRODUCTS = [
  [784, 50],
  [50, 50],
  [50, 10],
];
/** Turns per arm, products per turn. */
const [TURNS, PER_TURN] = [31, 50];
/** Times that a size is seen new, and its steps that are timed. */
const [SEEN_NEW, STEPS] = [5, 6];

const { part, models, batchSizes } = JSON.parse(process.argv[2] ?? '{}');
const entry = nativeLocation(cacheDirectory(), 'cpu')?.entry;
const { tf } = await loadEngine('native', { nativePaths: entry ? [entry] : [], convolutions: false });

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const micro = (milliseconds) => Number((1000 * milliseconds).toFixed(1));

/** Microseconds of one product, asked for as TensorFlow.js does and as a traced step does. */
function product(rows, [inputs, units]) {
  const { binding } = tf.backend();
  const [a, b] = [tf.randomNormal([rows, inputs]), tf.randomNormal([inputs, units])];
  const ids = tf.backend().getInputTensorIds([a, b]);
  const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  const no = (name) => ({ name, type: binding.TF_ATTR_BOOL, value: false });
  const arms = {
    BatchMatMulV2: [type, no('adj_x'), no('adj_y')],
    MatMul: [type, no('transpose_a'), no('transpose_b')],
  };
  const times = { BatchMatMulV2: [], MatMul: [] };
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const [name, attributes] of Object.entries(arms)) {
      const started = performance.now();
      for (let i = 0; i < PER_TURN; i += 1)
        binding.deleteTensor(binding.executeOp(name, attributes, ids, 1)[0].id);
      times[name].push((performance.now() - started) / PER_TURN);
    }
  tf.dispose([a, b]);
  const [batched, plain] = Object.values(times).map(median);
  const ratio = Number((plain / batched).toFixed(2));
  return { product: `${rows}x${inputs}x${units}`, batched: micro(batched), plain: micro(plain), ratio };
}

/** Milliseconds of the first steps at a size, each time with a new model and backend. */
async function firstSteps(model, batchSize) {
  const shape = inputShape(model);
  const width = shape.reduce((a, b) => a * b, 1);
  const batch = {
    xs: { data: new Float32Array(batchSize * width).fill(0.5), shape: [batchSize, ...shape] },
    ys: { data: new Float32Array(batchSize * 10).fill(0.1), shape: [batchSize, 10] },
  };
  const times = [];
  for (let i = 0; i < SEEN_NEW; i += 1) {
    const backend = tfjsBackend(tf, makeModel(tf, model));
    times.push([]);
    for (let k = 0; k < STEPS; k += 1) {
      const started = performance.now();
      const { gradient, loss } = await backend.gradient(batch);
      await loss.read();
      await backend.apply(gradient, 1);
      backend.release(gradient);
      times[i].push(performance.now() - started);
    }
    await backend.endRun();
  }
  const steps = Array.from({ length: STEPS }, (_, k) => [
    `step ${k + 1}, ms`,
    Number(median(times.map((ofModel) => ofModel[k])).toFixed(2)),
  ]);
  return { model, batchSize, ...Object.fromEntries(steps) };
}

const rows = [];
if (part === 'products')
  for (const size of batchSizes) for (const shape of PRODUCTS) rows.push(product(size, shape));
else for (const model of models) for (const size of batchSizes) rows.push(await firstSteps(model, size));
console.log(JSON.stringify(rows));
process.exit(0);
