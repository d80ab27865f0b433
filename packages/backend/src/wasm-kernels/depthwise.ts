import {
  filterPositions,
  input,
  padded,
  patch,
  type ConvCall,
  type ConvInfo,
  type KernelFunction,
  type KernelTf,
  type Tensor4D,
} from './kernel.ts';

type Shape4D = [number, number, number, number];

function infoOf(
  tf: KernelTf,
  { attrs }: ConvCall,
  shapes: { inputShape: Shape4D; filterShape: Shape4D },
): ConvInfo {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  const { inputShape, filterShape } = shapes;
  const depthwise = true;
  return tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
  );
}

/**
 * DepthwiseConv2dNativeBackpropFilter: dW[i,j,c,m] = Σ over examples and positions of X_ij[…,c] · dY[…,c,m].
 * x [batch, height, width, in], dy [batch, outHeight, outWidth, in·multiplier] -> [rows, columns, in, multiplier]
 */
export const depthwiseFilterGradient =
  (tf: KernelTf): KernelFunction =>
  (call) => {
    const x = input(call, 'x');
    const { filterShape } = call.attrs;
    const info = infoOf(tf, call, { inputShape: x.shape, filterShape });
    const [, , channels, multiplier] = filterShape;
    const rows = info.batchSize * info.outHeight * info.outWidth;
    return tf.tidy(() => {
      const images = padded(tf, x, info);
      const dy = tf.reshape(input(call, 'dy'), [rows, channels, multiplier]);
      // Summed as a matrix product: the engine's own sum loses digits over many rows.
      const ones = tf.ones([1, rows]);
      const parts = [...filterPositions(info)].map((position) => {
        const met = tf.reshape(patch(tf, images, { ...position, info }), [rows, channels, 1]);
        return tf.matMul(ones, tf.reshape(tf.mul(met, dy), [rows, channels * multiplier]));
      });
      return tf.reshape(tf.stack(parts), filterShape);
    });
  };

/**
 * DepthwiseConv2dNativeBackpropInput: each output position hands dY · W[i,j] back to the input that it met.
 * dy [batch, outHeight, outWidth, in·multiplier], filter [rows, columns, in, multiplier] -> x's shape
 */
export const depthwiseInputGradient =
  (tf: KernelTf): KernelFunction =>
  (call) => {
    const filter = input(call, 'filter');
    const { inputShape } = call.attrs;
    const info = infoOf(tf, call, { inputShape, filterShape: filter.shape });
    const [, , channels, multiplier] = filter.shape;
    const { batchSize, outHeight, outWidth, inHeight, inWidth, padInfo } = info;
    return tf.tidy(() => {
      const dy = tf.reshape(input(call, 'dy'), [batchSize * outHeight * outWidth, channels, multiplier]);
      const parts = [...filterPositions(info)].map((position) => {
        const weights = tf.slice(filter, [position.row, position.column, 0, 0], [1, 1, channels, multiplier]);
        const back = tf.sum(tf.mul(dy, tf.reshape(weights, [1, channels, multiplier])), 2);
        return placed(tf, tf.reshape(back, [batchSize, outHeight, outWidth, channels]), {
          ...position,
          info,
        });
      });
      const total = parts.reduce((sum, part) => tf.add(sum, part));
      return tf.slice(total, [0, padInfo.top, padInfo.left, 0], [batchSize, inHeight, inWidth, channels]);
    });
  };

/** Values per output position, put where filter position (row, column) met the padded images; zero elsewhere. */
function placed(
  tf: KernelTf,
  values: Tensor4D,
  at: { row: number; column: number; info: ConvInfo },
): Tensor4D {
  const { row, column, info } = at;
  const {
    batchSize,
    outHeight,
    outWidth,
    inChannels,
    strideHeight,
    strideWidth,
    inHeight,
    inWidth,
    padInfo,
  } = info;
  const height = inHeight + padInfo.top + padInfo.bottom;
  const width = inWidth + padInfo.left + padInfo.right;
  const spread = tf.pad(tf.reshape(values, [batchSize, outHeight, 1, outWidth, 1, inChannels]), [
    [0, 0],
    [0, 0],
    [0, strideHeight - 1],
    [0, 0],
    [0, strideWidth - 1],
    [0, 0],
  ]);
  const rows = (outHeight - 1) * strideHeight + 1;
  const columns = (outWidth - 1) * strideWidth + 1;
  const grid: Tensor4D = tf.reshape(spread, [
    batchSize,
    outHeight * strideHeight,
    outWidth * strideWidth,
    inChannels,
  ]);
  const cut = tf.slice(grid, [0, 0, 0, 0], [batchSize, rows, columns, inChannels]);
  return tf.pad(cut, [
    [0, 0],
    [row, height - row - rows],
    [column, width - column - columns],
    [0, 0],
  ]);
}
