import type { WasmHeap } from './heap.ts';
import type { KernelFunction, KernelTf, TensorInfo } from './kernel.ts';
import { axesOfVolume, inputPositions, windowsOf } from './windows.ts';

interface Conv3dCall {
  readonly inputs: { readonly dy: TensorInfo; readonly filter: TensorInfo };
  readonly attrs: {
    readonly strides: [number, number, number] | number;
    readonly pad: 'valid' | 'same';
    readonly inputShape: [number, number, number, number, number];
  };
  readonly backend: WasmHeap;
}

/**
 * Conv3DBackpropInputV2: dY · W for each filter position at once, as one matrix product, whose rows are then handed back
 * to the inputs that each position met. The engine's own kernel reads memory that it does not own.
 * dy [batch, outDepth, outHeight, outWidth, out], filter [depth, height, width, in, out] -> x's shape
 */
export const conv3dInputGradient =
  (tf: KernelTf): KernelFunction =>
  (call) => {
    const { inputs, attrs, backend } = call as unknown as Conv3dCall;
    const { strides, pad, inputShape } = attrs;
    const filterShape = inputs.filter.shape as typeof inputShape;
    const axes = axesOfVolume(tf.backend_util.computeConv3DInfo(inputShape, filterShape, strides, 1, pad));
    const windows = windowsOf(axes);
    const [batch, , , , channels] = inputShape;
    return tf.tidy(() => {
      const out = filterShape[4];
      const dy = tf.reshape(inputs.dy as never, [-1, out]);
      const weights = tf.reshape(inputs.filter as never, [-1, out]);
      const met: TensorInfo = tf.matMul(dy, weights, false, true);
      const dx = backend.makeOutput(inputShape, 'float32');
      const [values, sums] = [backend.typedArrayFromHeap(met), backend.typedArrayFromHeap(dx)];
      sums.fill(0);
      let at = 0;
      for (let example = 0; example < batch; example += 1)
        for (const window of windows)
          for (const inside of window) {
            const start = (example * inputPositions(axes) + inside) * channels;
            if (inside >= 0)
              for (let c = 0; c < channels; c += 1)
                sums[start + c] = (sums[start + c] ?? 0) + (values[at + c] ?? 0);
            at += channels;
          }
      return dx as never;
    });
  };
