// @ts-check
// What a web page does to train: its own TensorFlow.js goes into tfjsBackend, and nothing of Node.
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-webgpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { registerWasmTrainingKernels } from '@batchwise/backend';
import { firstLosses } from './first-losses.mjs';

const tf = { ...core, ...layers };
setWasmPaths('/');
registerWasmTrainingKernels(tf);

/**
 * @param {string} engine
 * @param {number} steps
 * @param {number} [loseAfter] step after which the GPU device is lost
 */
async function lossesOn(engine, steps, loseAfter) {
  if (!(await tf.setBackend(engine))) throw new Error(`TensorFlow.js could not start its ${engine} backend`);
  await tf.ready();
  const thief = {
    name: 'thief',
    onEpochFinished: (/** @type {{ step: number }} */ { step }) => {
      if (step === loseAfter) /** @type {any} */ (tf.backend()).device.destroy();
    },
  };
  // The new device compiles everything again: one network is enough.
  return firstLosses(tf, steps, loseAfter ? { networks: ['dense'], observers: [thief] } : {});
}

Object.assign(globalThis, { lossesOn });
