import type { TensorInfo } from './kernel.ts';

/** The wasm engine, as far as a kernel on plain memory needs it. */
export interface WasmHeap {
  makeOutput(shape: readonly number[], dtype: string): TensorInfo;
  /** A view, valid until the next allocation: that may move the heap. */
  typedArrayFromHeap(tensor: TensorInfo): Float32Array;
}
