// Loads a built package of TensorFlow.js for Node and computes with it.
// Usage: node check_build.mjs ENTRY [ALLOCATOR_ADDON]; prints one line of JSON: {tensorflow, gpu}
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import util from 'node:util';

// Node 23 dropped two functions of `util` that tfjs-node 4.22 still calls, and Node 22 warns of one of them.
util.isNullOrUndefined = (value) => value === null || value === undefined;
util.isArray = Array.isArray;
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

const [, , entry, addon] = process.argv;
const { default: tf } = await import(pathToFileURL(entry).href);
const product = tf.tidy(() =>
  Array.from(
    tf
      .tensor2d([1, 2, 3, 4], [2, 2])
      .matMul(tf.tensor2d([5, 6, 7, 8], [2, 2]))
      .dataSync(),
  ),
);
if (product.join() !== '19,22,43,50') throw new Error(`A matrix product came out as ${product.join()}.`);
if (addon) {
  const { read } = createRequire(import.meta.url)(addon);
  const device = '/job:localhost/replica:0/task:0/device:CPU:0';
  const before = read(device);
  // A tensor of an operation: constants are copied to the device only when one needs them.
  const held = tf.tidy(() => tf.zeros([1 << 20]).add(1));
  const after = read(device);
  if (before && after.currentBytes - before.currentBytes < 4 * (1 << 20))
    throw new Error('The allocator statistics do not see the tensors of TensorFlow.js.');
  held.dispose();
}
const backend = tf.backend();
console.log(JSON.stringify({ tensorflow: backend.binding.TF_Version, gpu: backend.isUsingGpuDevice }));
