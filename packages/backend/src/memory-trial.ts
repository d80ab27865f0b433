import type { BatchSource } from '@batchwise/core';
import {
  trainingTrial,
  type KeptState,
  type Trial,
  type TrainingTrialOptions,
} from '@batchwise/memory-probe';
import type { ArrayBatch } from './array-batch.ts';
import { openModel } from './compiled-model.ts';
import type { LayersGradient } from './layers-gradient.ts';
import type { LayersModel, Tf } from './tf.ts';
import { tfjsBackend } from './tfjs-backend.ts';
import { TrainingState } from './training-state.ts';

/** What may be chosen of a trial; see `TrainingTrialOptions` of @batchwise/memory-probe. */
export type MemoryTrialOptions = Pick<
  TrainingTrialOptions<ArrayBatch, LayersGradient>,
  'meter' | 'steps' | 'microBatches'
>;

/**
 * A trial for `findCeiling` of @batchwise/memory-probe: trains the model itself for a few steps at a size, and puts its
 * weights and its optimizer back afterwards, bit for bit.
 *
 * Memory is what the engine tracks unless a meter is given: all buffers on WebGPU, tensors elsewhere. Native TensorFlow
 * is better metered by its allocator (`allocatorStatistics` of @batchwise/native, `allocatorMeter` of memory-probe). Each
 * engine survives a trial that is too big, except WebAssembly beyond its heap of 4 GB.
 * @throws TrainingError `invalidOptions` when the model is not compiled or has nothing to train
 * @throws RangeError when `steps` is below 2 or `microBatches` below 1
 */
export function memoryTrial(
  tf: Tf,
  model: LayersModel,
  { source, ...options }: MemoryTrialOptions & { readonly source: BatchSource<ArrayBatch> },
): Trial {
  const state = new TrainingState(tf, openModel(model));
  return trainingTrial({
    ...options,
    source,
    backend: tfjsBackend(tf, model),
    keep: () => keep(state),
    isDeviceLimit: (error) => error instanceof Error && DEVICE_LIMIT.test(`${error.name}: ${error.message}`),
  });
}

/** What WebGPU says where memory is not the reason. */
const DEVICE_LIMIT = /^(GPUValidationError|Error: Dispatch size exceeds)/;

async function keep(state: TrainingState): Promise<KeptState> {
  const copy = await state.read();
  const arrays = [...copy.variables, ...copy.tensors];
  return {
    bytes: arrays.reduce((sum, { values }) => sum + values.byteLength, 0),
    restore: () => state.write(copy),
  };
}
