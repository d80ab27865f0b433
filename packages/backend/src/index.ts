export type { ArrayBatch, ArrayTensor, Rows, TensorRows } from './array-batch.ts';
export { classifyError } from './classify.ts';
export { memoryTrial, type MemoryTrialOptions } from './memory-trial.ts';
export { staticLimits } from './static-limits.ts';
export type { LayersModel, Tf } from './tf.ts';
export { tensorSource, type ExampleTensors } from './tensor-source.ts';
export { tfjsBackend, type LayersGradient } from './tfjs-backend.ts';
export { registerWasmTrainingKernels } from './wasm-kernels/register.ts';
