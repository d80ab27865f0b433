// Serves one trial: node trial-process.mjs ENGINE MODEL
import { memoryTrial } from '@batchwise/backend';
import { serveTrial } from '@batchwise/memory-probe/node';
import { ENGINES } from './engines.mjs';
import { MODELS, makeModel, syntheticSource } from './models.mjs';

const [engineName, modelName] = process.argv.slice(2);

/**
 * The backend tries a step again without the buffers that TensorFlow.js keeps for later, so a step can work on a device
 * that had refused memory before. That is no step to train with: it happens each time. Counts such refusals.
 */
function countRefusals({ device }) {
  let refusals = 0;
  const popErrorScope = device?.popErrorScope;
  if (popErrorScope)
    device.popErrorScope = async () => {
      const error = await popErrorScope.call(device);
      if (error?.constructor.name === 'GPUOutOfMemoryError') refusals += 1;
      return error;
    };
  return () => refusals;
}

serveTrial(async (request) => {
  const { load, meter } = ENGINES[engineName];
  const { tf } = await load();
  const refusals = countRefusals(tf.backend());
  const trial = memoryTrial(tf, makeModel(tf, modelName), {
    source: syntheticSource(MODELS[modelName].input),
    ...(meter && { meter: meter() }),
  });
  const outcome = await trial(request);
  if (outcome.kind !== 'trained' || refusals() === 0) return outcome;
  return { kind: 'tooBig', limit: 'memory', message: `The device refused memory ${refusals()} times.` };
});
