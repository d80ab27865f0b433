import type { WasmHeap } from './heap.ts';
import type { KernelFunction, KernelTf, TensorInfo } from './kernel.ts';

interface GatherCall {
  readonly inputs: { readonly x: TensorInfo; readonly indices: TensorInfo };
  readonly attrs: { readonly axis: number; readonly batchDims: number };
  readonly backend: WasmHeap;
}

/**
 * GatherV2: what batches are taken from tensors by, and what an embedding looks words up by. The engine's own kernel works
 * out where each value lies, one by one, and takes values of no meaning where there are batches. Strings are left to it.
 * x [batch, outer, length, inner], where `axis` is that of length; indices [batch, count] int32 -> [batch, outer, count, inner]
 */
export const gather =
  (original: KernelFunction, tf: KernelTf): KernelFunction =>
  (call) => {
    const { inputs, attrs, backend } = call as unknown as GatherCall;
    const { x, indices } = inputs;
    if (x.dtype === 'string') return original(call);
    const [axis = 0] = tf.util.parseAxisParam(attrs.axis, x.shape);
    const { collectGatherOpShapeInfo } = tf.backend_util.segment_util;
    const sizes = collectGatherOpShapeInfo(x as never, indices as never, axis, attrs.batchDims);
    const { batchSize, outerSize, dimSize: length, sliceSize, outputShape } = sizes;
    // A copy: what comes next may move the heap.
    const at = backend.typedArrayFromHeap(indices).slice();
    refuseOutside(at, length);
    const out = backend.makeOutput(outputShape, x.dtype);
    const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(out)];
    // Both lie in the one heap.
    const heap = new Uint8Array(from.buffer);
    const bytes = sliceSize * from.BYTES_PER_ELEMENT;
    const count = at.length / batchSize;
    let written = to.byteOffset;
    for (let outer = 0; outer < batchSize * outerSize; outer += 1) {
      const start = from.byteOffset + outer * length * bytes;
      const batch = Math.floor(outer / outerSize);
      for (let i = batch * count; i < (batch + 1) * count; i += 1) {
        const met = start + (at[i] ?? 0) * bytes;
        heap.copyWithin(written, met, met + bytes);
        written += bytes;
      }
    }
    return out;
  };

/** @throws in the words of the engine's own kernel */
function refuseOutside(indices: ArrayLike<number>, length: number): void {
  for (let i = 0; i < indices.length; i += 1) {
    const index = indices[i] ?? 0;
    if (index >= 0 && index < length) continue;
    throw new Error(`GatherV2: the index value ${index} is not in [0, ${length - 1}]`);
  }
}
