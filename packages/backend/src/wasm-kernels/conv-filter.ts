import type { WasmHeap } from './heap.ts';
import {
  input,
  type ConvInfo,
  type KernelFunction,
  type KernelTf,
  type Tensor4D,
  type WasmEngine,
} from './kernel.ts';
import { made, rowsOf, summedByRows } from './rows.ts';

/** A quarter of a megabyte, some examples: more is no faster. */
const MOST_VALUES = 2 ** 16;

/**
 * Conv2DBackpropFilter: dW[i,j] = X_ijᵀ dY, where X_ij are the inputs that filter position (i,j) met.
 * x [batch, height, width, in], dy [batch, outHeight, outWidth, out] -> [filterHeight, filterWidth, in, out]
 *
 * For each column j of the filter that is a convolution, which the engine is quick at: its images are the channels of x, with examples
 * and rows for sides and the columns that j met for channels; its filter is dy as it lies there.
 */
export const convFilterGradient =
  (tf: KernelTf): KernelFunction =>
  (call) => {
    const { strides, pad, dimRoundingMode, filterShape, dataFormat } = call.attrs;
    if (dataFormat !== undefined && dataFormat !== 'NHWC')
      throw new Error(`Conv2DBackpropFilter on wasm takes NHWC images, not ${dataFormat}.`);
    const [x, dy] = [input(call, 'x'), input(call, 'dy')];
    if (dy.size === 0) return tf.zeros(filterShape);
    const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode);
    const { batchSize, outHeight, outWidth, outChannels, filterWidth, strideHeight } = info;
    const engine = { tf, backend: call.backend as WasmHeap };
    const columns = Array.from({ length: filterWidth }, (_, column) => column);
    const lie = {
      rows: batchSize,
      inner: outHeight * outWidth,
      columns: outChannels,
      mostValues: MOST_VALUES,
    };
    // [in, filterWidth, filterHeight, out]
    const gradient = (first: number, count: number): Tensor4D => {
      const filter = rowsOf(engine, dy, [first, count]);
      const parts = columns.map((column) =>
        tf.tidy(() => {
          const met = columnsMet(engine, x, { info, column, first, count });
          return tf.conv2d(met, filter, 1, 'valid', 'NHWC', [1, strideHeight]);
        }),
      );
      return tf.concat(parts, 1);
    };
    return tf.tidy(() => tf.transpose(summedByRows(engine, lie, gradient), [2, 1, 0, 3]));
  };

interface Met {
  readonly info: ConvInfo;
  readonly column: number;
  /** Of the batch: the first example, and how many. */
  readonly first: number;
  readonly count: number;
}

/**
 * What one column of the filter met, the border included.
 * x [batch, height, width, in] -> [in, count, rows that the filter reaches, outWidth]
 */
function columnsMet(engine: WasmEngine, x: Tensor4D, { info, column, first, count }: Met): Tensor4D {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight } = info;
  const { strideHeight, strideWidth, padInfo } = info;
  const reached = (outHeight - 1) * strideHeight + filterHeight;
  const plane = reached * outWidth;
  const out = made(engine, [inChannels, count, reached, outWidth]);
  // Views are taken after the allocation, that of x first, which may have to be brought here: both may move the heap.
  const values = engine.backend.typedArrayFromHeap(x);
  const met = engine.backend.typedArrayFromHeap(out).fill(0);
  for (let example = 0; example < count; example += 1)
    for (let row = Math.max(0, padInfo.top); row < Math.min(reached, inHeight + padInfo.top); row += 1)
      for (let at = 0; at < outWidth; at += 1) {
        const inside = at * strideWidth + column - padInfo.left;
        if (inside < 0 || inside >= inWidth) continue;
        const from = (((first + example) * inHeight + row - padInfo.top) * inWidth + inside) * inChannels;
        const to = example * plane + row * outWidth + at;
        for (let channel = 0; channel < inChannels; channel += 1)
          met[to + channel * count * plane] = values[from + channel] ?? 0;
      }
  return out as Tensor4D;
}
