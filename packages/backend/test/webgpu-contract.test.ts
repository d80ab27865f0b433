import { describeBackend } from '@batchwise/testing';
import { tfjsBackend } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { batchOf, classifier } from './models.ts';

// On Dawn's null device, which is there without a GPU: what it counts is right, its values are not.
const { tf } = await loadEngine('webgpu', { webgpu: { dawn: ['backend=null'] } });

describeBackend(
  "tfjsBackend on webgpu, Dawn's null device",
  () => ({
    backend: tfjsBackend(tf, classifier(tf, tf.train.sgd(0.1))),
    batch: batchOf,
    live: () => tf.memory().numTensors,
  }),
  { computes: false },
);
