import { filterPositions, input, padded, patch, type KernelFunction, type KernelTf } from './kernel.ts';

/**
 * Conv2DBackpropFilter: dW[i,j] = X_ijᵀ dY, where X_ij are the inputs that filter position (i,j) met.
 * x [batch, height, width, in], dy [batch, outHeight, outWidth, out] -> [filterHeight, filterWidth, in, out]
 */
export const convFilterGradient =
  (tf: KernelTf): KernelFunction =>
  (call) => {
    const { strides, pad, dimRoundingMode, filterShape, dataFormat } = call.attrs;
    if (dataFormat !== undefined && dataFormat !== 'NHWC')
      throw new Error(`Conv2DBackpropFilter on wasm takes NHWC images, not ${dataFormat}.`);
    const x = input(call, 'x');
    const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode);
    const { inChannels, outChannels, batchSize, outHeight, outWidth } = info;
    const rows = batchSize * outHeight * outWidth;
    return tf.tidy(() => {
      const images = padded(tf, x, info);
      const dy = tf.reshape(input(call, 'dy'), [rows, outChannels]);
      const parts = [...filterPositions(info)].map((position) => {
        const met = tf.reshape(patch(tf, images, { ...position, info }), [rows, inChannels]);
        return tf.matMul(met, dy, true, false);
      });
      return tf.reshape(tf.stack(parts), filterShape);
    });
  };
