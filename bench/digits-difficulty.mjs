// How hard is a data set? Trains a linear classifier and the reference network with plain TensorFlow.js (wasm, model.fit)
// and prints their test accuracy after each epoch. The built-in digits are meant to be as hard as MNIST: the linear
// classifier below 93 %, the network above 97 % within ten epochs; the exit code says whether they are.
//
//   npm run build && node bench/digits-difficulty.mjs [digits|mnist] [epochs]
//
// MNIST is taken from BATCHWISE_DATA_DIR where that is set.
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-wasm';
import { imageSource, loadDataset, splitValidation } from '@batchwise/data';

const [name = 'digits', epochs = '10'] = process.argv.slice(2);
const SEED = 1;
const BATCH_SIZE = 100;

await tf.setBackend('wasm');
const started = performance.now();
const dataDir = name === 'mnist' ? process.env.BATCHWISE_DATA_DIR : undefined;
const { dataset, notice } = await loadDataset(name, { dataDir });
if (notice) console.log(notice);
const { train, test, imageShape, classes, source } = splitValidation(dataset);
console.log(
  `${dataset.name} (${source}) in ${seconds(started)}; ${train.count} training images, ${test.count} test images`,
);
console.log(`tfjs ${tf.version_core}, ${tf.getBackend()}, batch ${BATCH_SIZE}, Adam 0.001, seed ${SEED}`);

const trainTensors = await tensorsOf(train);
const testTensors = await tensorsOf(test);
const linear = await accuracies('linear 784-10', []);
const network = await accuracies('network 784-50-50-10', [50, 50]);
const [bestLinear, bestNetwork] = [Math.max(...linear), Math.max(...network)];
const asHardAsMnist = bestLinear < 0.93 && bestNetwork > 0.97;
console.log(`linear ${percent(bestLinear)} (< 93 wanted), network ${percent(bestNetwork)} (> 97 wanted)`);
process.exitCode = asHardAsMnist ? 0 : 1;

async function tensorsOf(examples) {
  const everything = imageSource(examples, { imageShape, classes, shuffle: false, flat: true });
  const { xs, ys } = await everything.epoch(0).take(everything.size);
  return { xs: tf.tensor2d(xs.data, xs.shape), ys: tf.tensor2d(ys.data, ys.shape) };
}

/** Test accuracy after each epoch. */
async function accuracies(title, hidden) {
  const began = performance.now();
  const model = layers.sequential();
  [...hidden, classes].forEach((units, index) => {
    const first = index === 0 ? { inputShape: [trainTensors.xs.shape[1]] } : {};
    const activation = index === hidden.length ? 'softmax' : 'relu';
    const kernelInitializer = layers.initializers.glorotUniform({ seed: SEED + index });
    model.add(layers.layers.dense({ ...first, units, activation, kernelInitializer }));
  });
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const history = await model.fit(trainTensors.xs, trainTensors.ys, {
    epochs: Number(epochs),
    batchSize: BATCH_SIZE,
    validationData: [testTensors.xs, testTensors.ys],
    verbose: 0,
  });
  console.log(`${title}: ${history.history.val_acc.map(percent).join(' ')} (${seconds(began)})`);
  return history.history.val_acc;
}

function percent(fraction) {
  return (100 * fraction).toFixed(2);
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
