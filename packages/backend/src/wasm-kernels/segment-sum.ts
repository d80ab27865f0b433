import { valuesIn } from '../values-in.ts';
import type { KernelFunction, TensorInfo } from './kernel.ts';
import type { WasmHeap } from './heap.ts';

interface SegmentCall {
  readonly inputs: { readonly x: TensorInfo; readonly segmentIds: TensorInfo };
  readonly attrs: { readonly numSegments: number };
  readonly backend: WasmHeap;
}

/**
 * UnsortedSegmentSum: out[s] = Σ of the rows of x whose segment is s; the gradient of `gather`, so of embeddings.
 * x [rows, …], segmentIds [rows] int32 -> [numSegments, …]. Rows with an id outside 0…numSegments−1 are left out.
 */
export const segmentSum = (): KernelFunction => (call) => sumSegments(call as unknown as SegmentCall);

function sumSegments({ inputs, attrs, backend }: SegmentCall): TensorInfo {
  const { x, segmentIds } = inputs;
  const rowShape = x.shape.slice(segmentIds.shape.length);
  const rowLength = valuesIn(rowShape);
  const out = backend.makeOutput([attrs.numSegments, ...rowShape], x.dtype);
  // Views are taken after the allocation: it may move the heap.
  const sums = backend.typedArrayFromHeap(out);
  const values = backend.typedArrayFromHeap(x);
  const ids = backend.typedArrayFromHeap(segmentIds);
  sums.fill(0);
  ids.forEach((id, row) => {
    if (id < 0 || id >= attrs.numSegments) return;
    const from = row * rowLength;
    const to = id * rowLength;
    for (let k = 0; k < rowLength; k += 1) sums[to + k] = (sums[to + k] ?? 0) + (values[from + k] ?? 0);
  });
  return out;
}
