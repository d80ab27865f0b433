import type { WasmHeap } from './heap.ts';
import { input, type ConvInfo, type KernelFunction, type KernelTf, type Tensor4D } from './kernel.ts';
import { made } from './rows.ts';

/**
 * Conv2DBackpropInput as a convolution of dy, its values `stride` apart, with the filter turned round: ten times as fast as the
 * engine's own kernel where the stride is 1. That one, `original`, is left what it alone takes: other layouts, and a border wider than the filter.
 * dy [batch, outHeight, outWidth, out], filter [rows, columns, in, out] -> [batch, height, width, in]
 */
export const convInputGradient =
  (original: KernelFunction, tf: KernelTf): KernelFunction =>
  (call) => {
    const { strides, pad, dimRoundingMode, inputShape, dataFormat } = call.attrs;
    if (dataFormat !== undefined && dataFormat !== 'NHWC') return original(call);
    const [dy, filter] = [input(call, 'dy'), input(call, 'filter')];
    const info = tf.backend_util.computeConv2DInfo(
      inputShape,
      filter.shape,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    const { inHeight, inWidth, filterHeight, filterWidth, padInfo } = info;
    const spreadHeight = (info.outHeight - 1) * info.strideHeight + 1;
    const spreadWidth = (info.outWidth - 1) * info.strideWidth + 1;
    const [top, left] = [filterHeight - 1 - padInfo.top, filterWidth - 1 - padInfo.left];
    const bottom = inHeight + filterHeight - 1 - spreadHeight - top;
    const right = inWidth + filterWidth - 1 - spreadWidth - left;
    if (Math.min(top, bottom, left, right) < 0) return original(call);
    return tf.tidy(() => {
      const spread = spreadOf({ tf, backend: call.backend as WasmHeap }, dy, [
        spreadHeight,
        spreadWidth,
        info,
      ]);
      const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
      return tf.conv2d(spread, turned, 1, [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ]);
    });
  };

/** dy with zeros between, so that its values are a stride apart: [batch, height, width, out]. */
function spreadOf(
  engine: { readonly tf: KernelTf; readonly backend: WasmHeap },
  dy: Tensor4D,
  [height, width, info]: readonly [number, number, ConvInfo],
): Tensor4D {
  const { batchSize, outHeight, outWidth, outChannels, strideHeight, strideWidth } = info;
  if (strideHeight === 1 && strideWidth === 1) return dy;
  const out = made(engine, [batchSize, height, width, outChannels]);
  const spread = engine.backend.typedArrayFromHeap(out).fill(0);
  const values = engine.backend.typedArrayFromHeap(dy);
  for (let row = 0; row < batchSize * outHeight; row += 1) {
    const [example, y] = [Math.floor(row / outHeight), row % outHeight];
    for (let x = 0; x < outWidth; x += 1) {
      const from = (row * outWidth + x) * outChannels;
      const to = ((example * height + y * strideHeight) * width + x * strideWidth) * outChannels;
      spread.set(values.subarray(from, from + outChannels), to);
    }
  }
  return out as Tensor4D;
}
