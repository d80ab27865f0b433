import type * as tfc from '@tensorflow/tfjs-core';
import type { WasmHeap } from './heap.ts';

/** What the kernels are made of. Inside a kernel nothing is taped, so ordinary operations may be used. */
export type KernelTf = Pick<
  typeof tfc,
  | 'add'
  | 'backend_util'
  | 'concat'
  | 'conv2d'
  | 'engine'
  | 'getKernel'
  | 'matMul'
  | 'mul'
  | 'ones'
  | 'pad'
  | 'registerKernel'
  | 'reshape'
  | 'reverse'
  | 'slice'
  | 'stack'
  | 'stridedSlice'
  | 'sum'
  | 'tidy'
  | 'transpose'
  | 'unregisterKernel'
  | 'util'
  | 'zeros'
>;

/** What a kernel runs on. */
export interface WasmEngine {
  readonly tf: KernelTf;
  readonly backend: WasmHeap;
}

export type Tensor4D = tfc.Tensor4D;
export type TensorInfo = tfc.TensorInfo;
export type ConvInfo = tfc.backend_util.Conv2DInfo;

/** The arguments of a convolution gradient kernel, as TensorFlow.js hands them over. */
export interface ConvCall {
  readonly inputs: Readonly<Record<string, Tensor4D>>;
  readonly attrs: {
    readonly strides: [number, number] | number;
    readonly pad: 'valid' | 'same' | number;
    readonly dilations?: [number, number] | number;
    readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
    readonly dataFormat?: string;
    readonly filterShape: [number, number, number, number];
    readonly inputShape: [number, number, number, number];
  };
  readonly backend: unknown;
}

export type KernelFunction = (call: ConvCall) => TensorInfo;

/** An input of the kernel. */
export function input(call: ConvCall, name: string): Tensor4D {
  const tensor = call.inputs[name];
  if (!tensor) throw new Error(`The kernel got no input "${name}".`);
  return tensor;
}

/** The part of padded images `x` that filter position (row, column) meets, one value per output position. */
export function patch(
  tf: KernelTf,
  x: Tensor4D,
  at: { row: number; column: number; info: ConvInfo },
): Tensor4D {
  const { row, column, info } = at;
  const { batchSize, inChannels, outHeight, outWidth, strideHeight, strideWidth } = info;
  if (strideHeight === 1 && strideWidth === 1)
    return tf.slice(x, [0, row, column, 0], [batchSize, outHeight, outWidth, inChannels]);
  const bottom = row + (outHeight - 1) * strideHeight + 1;
  const right = column + (outWidth - 1) * strideWidth + 1;
  const end = [batchSize, bottom, right, inChannels];
  const strided = tf.stridedSlice(x, [0, row, column, 0], end, [1, strideHeight, strideWidth, 1]);
  return tf.reshape(strided, [batchSize, outHeight, outWidth, inChannels]);
}

/** Images with the border that the convolution adds. */
export function padded(tf: KernelTf, x: Tensor4D, { padInfo }: ConvInfo): Tensor4D {
  const { top, bottom, left, right } = padInfo;
  if (top === 0 && bottom === 0 && left === 0 && right === 0) return x;
  return tf.pad(x, [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]);
}

/** Each position of a filter, row by row. */
export function* filterPositions({
  filterHeight,
  filterWidth,
}: ConvInfo): Generator<{ row: number; column: number }> {
  for (let row = 0; row < filterHeight; row += 1)
    for (let column = 0; column < filterWidth; column += 1) yield { row, column };
}
