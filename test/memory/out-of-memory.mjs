// @ts-check
// Fills TensorFlow's memory while steps run as graphs, and prints what became of it as JSON.
//   TF_CPU_ALLOCATOR_USE_BFC=1 TF_CPU_BFC_MEM_LIMIT_IN_MB=120 node out-of-memory.mjs CACHE_DIR
import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { nativeLocation } from '@batchwise/native';

const location = nativeLocation(process.argv[2] ?? '', 'cpu');
const { tf } = await loadEngine('native', {
  nativePaths: location ? [location.entry] : [],
  convolutions: false,
});
const model = tf.sequential({
  layers: [
    tf.layers.dense({ units: 256, inputShape: [64], activation: 'relu' }),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy' });
/** @type {string[]} */
const events = [];
const backend = tfjsBackend(tf, model, {
  onTrace: ({ part, status }) => events.push(`${part} ${status}`),
});

async function step() {
  const size = 8192;
  const ones = (/** @type {number} */ width) => ({
    data: new Float32Array(size * width).fill(1 / width),
    shape: [size, width],
  });
  const { gradient, loss } = await backend.gradient({ xs: ones(64), ys: ones(3) });
  const value = await loss.read();
  await backend.apply(gradient, 1);
  backend.release(gradient);
  return value;
}

for (let i = 0; i < 3; i += 1) await step();
const traced = [...events];
const before = tf.memory().numTensors;
// Of 120 MB, 32 are left: a step at a time of several layers' outputs of 8 MB each needs more.
const ballast = Array.from({ length: 22 }, () => tf.fill([2 ** 20], 1));
let verdict = 'it went through';
try {
  await step();
} catch (error) {
  verdict = backend.classify(error);
}
tf.dispose(ballast);
const left = tf.memory().numTensors - before;
const after = await step();
console.log(JSON.stringify({ traced, verdict, left, after, said: events.slice(traced.length) }));
await backend.endRun();
