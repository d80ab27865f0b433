export type { ArrayBatch, ArrayTensor, Rows, TensorRows } from './array-batch.ts';
export { classifyError } from './classify.ts';
export type { LayersModel, Tf } from './tf.ts';
export { tensorSource, type ExampleTensors } from './tensor-source.ts';
export { tfjsBackend, type LayersGradient } from './tfjs-backend.ts';
export { registerWasmTrainingKernels } from './wasm-kernels/register.ts';
export type { TracingOptions } from './traced/step-runner.ts';
export type { StepPart } from './traced/tensor-work.ts';
export type { TraceEvent } from './traced/tracer.ts';
