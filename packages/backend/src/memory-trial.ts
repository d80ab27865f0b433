import type { Backend, BatchSource } from '@batchwise/core';
import {
  trainingTrial,
  type MemoryMeter,
  type KeptState,
  type Trial,
  type TrainingTrialOptions,
} from '@batchwise/memory-probe';
import type { ArrayBatch } from './array-batch.ts';
import { openModel } from './compiled-model.ts';
import type { LayersGradient } from './layers-gradient.ts';
import type { LayersModel, Tf } from './tf.ts';
import { SmallTensors } from './small-tensors.ts';
import { tfjsBackend } from './tfjs-backend.ts';
import { TrainingState } from './training-state.ts';
import { WasmHeap } from './wasm-heap.ts';

/** What may be chosen of a trial; see `TrainingTrialOptions` of @batchwise/memory-probe. */
export type MemoryTrialOptions = Pick<
  TrainingTrialOptions<ArrayBatch, LayersGradient>,
  'meter' | 'steps' | 'microBatches' | 'clock'
> & {
  /** A `tfjsBackend` of this model that is not in use; `backendMeter` can then be given. Default: one of its own. */
  readonly backend?: Backend<ArrayBatch, LayersGradient>;
};

/**
 * A trial for `findCeiling` of @batchwise/memory-probe: trains the model itself for a few steps at a size, and puts its
 * weights and its optimizer back afterwards, bit for bit.
 *
 * Memory is what the engine tracks unless a meter is given: all buffers on WebGPU, the blocks of the heap on wasm, tensors
 * elsewhere. Native TensorFlow is better metered by its allocator (`allocatorStatistics` of @batchwise/native,
 * `allocatorMeter` of memory-probe); tensors that are too small for it to count are added. Each engine survives a trial that is too big, except wasm beyond its heap: there the
 * trial throws a TrainingError `outOfMemory`, and the model is lost.
 * @throws TrainingError `invalidOptions` when the model is not compiled or has nothing to train
 * @throws RangeError when `steps` is below 2 or `microBatches` below 1
 */
export function memoryTrial(
  tf: Tf,
  model: LayersModel,
  { source, ...options }: MemoryTrialOptions & { readonly source: BatchSource<ArrayBatch> },
): Trial {
  const state = new TrainingState(tf, openModel(model));
  const watch = watchOf(tf, options.meter);
  return trainingTrial({
    ...options,
    ...(watch && { meter: watch }),
    source,
    backend: options.backend ?? tfjsBackend(tf, model),
    keep: () => keep(state, watch),
    isDeviceLimit: (error) => error instanceof Error && DEVICE_LIMIT.test(`${error.name}: ${error.message}`),
  });
}

/** What WebGPU says where memory is not the reason. */
const DEVICE_LIMIT = /^(GPUValidationError|Error: Dispatch size exceeds)/;

/** A meter that looks at the engine during a trial, where one is better. */
function watchOf(tf: Tf, meter: MemoryMeter | undefined): WasmHeap | SmallTensors | undefined {
  if (!meter) return tf.getBackend() === 'wasm' ? new WasmHeap(tf) : undefined;
  return SmallTensors.areLeftOutBy(meter) ? new SmallTensors(tf, meter) : undefined;
}

async function keep(state: TrainingState, watch: WasmHeap | SmallTensors | undefined): Promise<KeptState> {
  const copy = await state.read();
  const arrays = [...copy.variables, ...copy.tensors];
  watch?.attach();
  return {
    bytes: arrays.reduce((sum, { values }) => sum + values.byteLength, 0),
    restore: () => {
      watch?.detach();
      state.write(copy);
    },
  };
}
