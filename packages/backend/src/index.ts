export type { ArrayBatch, ArrayTensor, Rows, TensorRows } from './array-batch.ts';
export { classifyError } from './classify.ts';
export type { CompiledOptimizer } from './compiled-model.ts';
export { LearningRateKnob } from './learning-rate.ts';
export type { LayersModel, Tf } from './tf.ts';
export { tensorSource, type ExampleTensors } from './tensor-source.ts';
export { tfjsBackend, type LayersGradient, type TfjsBackendOptions } from './tfjs-backend.ts';
export { registerWasmTrainingKernels } from './wasm-kernels/register.ts';
