import type { WasmHeap } from './heap.ts';
import type { KernelFunction, KernelTf, TensorInfo } from './kernel.ts';
import { axesOfPlane, axesOfVolume, inputPositions, windowsOf, type Axes } from './windows.ts';

type Lengths = number | [number, number, number];

interface PoolAttributes {
  readonly filterSize: Lengths;
  readonly strides: Lengths;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface PoolCall {
  readonly inputs: { readonly x: TensorInfo };
  readonly attrs: PoolAttributes;
  readonly backend: WasmHeap;
}

interface GradientCall {
  readonly inputs: { readonly dy: TensorInfo; readonly input: TensorInfo; readonly output: TensorInfo };
  readonly attrs: PoolAttributes;
  readonly backend: WasmHeap;
}

/**
 * MaxPool3D. The engine's own kernel begins its search at the smallest number above zero, and answers that where all of a
 * window is negative. x [batch, depth, height, width, channels]
 */
export const maxPool3d =
  (tf: KernelTf): KernelFunction =>
  (call) => {
    const { inputs, attrs, backend } = call as unknown as PoolCall;
    const { shape } = inputs.x;
    const axes = axesOf(tf, shape, attrs);
    const [batch = 0, channels = 0] = [shape[0], shape.at(-1)];
    const y = backend.makeOutput([batch, ...axes.map(({ outLength }) => outLength), channels], 'float32');
    const [values, maxima] = [backend.typedArrayFromHeap(inputs.x), backend.typedArrayFromHeap(y)];
    maxima.fill(-Infinity);
    eachWindow({ axes, batch, channels }, (window, at, start) => {
      for (const met of window) {
        if (met < 0) continue;
        const inside = start + met * channels;
        // Not a comparison: what is not a number stays so.
        for (let channel = 0; channel < channels; channel += 1)
          maxima[at + channel] = Math.max(maxima[at + channel] ?? 0, values[inside + channel] ?? 0);
      }
    });
    return y;
  };

/**
 * MaxPoolGrad and MaxPool3DGrad: each output position hands its dy back to the first input of its window that is the
 * maximum. The engine's own kernels look for a maximum above zero: where all of a window is negative, as it often is
 * after batch normalisation, the gradient is lost.
 * input [batch, (depth,) height, width, channels] -> the same shape
 */
export const maxPoolGradient =
  (tf: KernelTf): KernelFunction =>
  (call) => {
    const { inputs, attrs, backend } = call as unknown as GradientCall;
    const { shape } = inputs.input;
    const dx = backend.makeOutput(shape, 'float32');
    const view = (tensor: TensorInfo): Float32Array => backend.typedArrayFromHeap(tensor);
    const [values, maxima, dy, sums] = [view(inputs.input), view(inputs.output), view(inputs.dy), view(dx)];
    sums.fill(0);
    const pooled = { axes: axesOf(tf, shape, attrs), batch: shape[0] ?? 0, channels: shape.at(-1) ?? 0 };
    eachWindow(pooled, (window, at, start) => {
      for (let channel = 0; channel < pooled.channels; channel += 1) {
        const maximum = maxima[at + channel];
        for (const met of window) {
          const inside = start + met * pooled.channels + channel;
          if (met < 0 || values[inside] !== maximum) continue;
          sums[inside] = (sums[inside] ?? 0) + (dy[at + channel] ?? 0);
          break;
        }
      }
    });
    return dx;
  };

function axesOf(tf: KernelTf, shape: number[], attrs: PoolAttributes): Axes {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const { computePool2DInfo, computePool3DInfo } = tf.backend_util;
  return shape.length === 5
    ? axesOfVolume(computePool3DInfo(shape as never, filterSize, strides, 1, pad, dimRoundingMode))
    : axesOfPlane(
        computePool2DInfo(shape as never, filterSize as never, strides as never, 1, pad, dimRoundingMode),
      );
}

/** Calls `visit` for each output position of each example: with what its window meets, where its channels begin, and where the example does. */
function eachWindow(
  { axes, batch, channels }: { readonly axes: Axes; readonly batch: number; readonly channels: number },
  visit: (window: Int32Array, at: number, start: number) => void,
): void {
  const windows = windowsOf(axes);
  const positions = inputPositions(axes);
  for (let example = 0; example < batch; example += 1)
    windows.forEach((window, position) =>
      visit(window, (example * windows.length + position) * channels, example * positions * channels),
    );
}
