import { conv3dInputGradient } from './conv-3d.ts';
import { convFilterGradient } from './conv-filter.ts';
import { convInputGradient } from './conv-input.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise.ts';
import { gather } from './gather.ts';
import { transposedProduct } from './mat-mul.ts';
import { maxPool3d, maxPoolGradient } from './max-pool.ts';
import { preciseSum } from './precise-sum.ts';
import { segmentSum } from './segment-sum.ts';
import type { KernelFunction, KernelTf } from './kernel.ts';

const MISSING: Readonly<Record<string, (tf: KernelTf) => KernelFunction>> = {
  Conv2DBackpropFilter: convFilterGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
  UnsortedSegmentSum: segmentSum,
};

const REPLACED: Readonly<Record<string, (original: KernelFunction, tf: KernelTf) => KernelFunction>> = {
  Sum: (original) => preciseSum(original, { mean: false }),
  Mean: (original) => preciseSum(original, { mean: true }),
  MaxPoolGrad: (_original, tf) => maxPoolGradient(tf),
  MaxPool3DGrad: (_original, tf) => maxPoolGradient(tf),
  MaxPool3D: (_original, tf) => maxPool3d(tf),
  BatchMatMul: transposedProduct,
  Conv2DBackpropInput: convInputGradient,
  GatherV2: gather,
  Conv3DBackpropInputV2: (_original, tf) => conv3dInputGradient(tf),
};

/** Kernels that were put in the place of others. */
const ours = new WeakSet<object>();

/**
 * Gives the wasm engine what training needs and TensorFlow.js 4.22 lacks: the gradients of convolution filters, of
 * depthwise convolutions and of embeddings, made of the engine's own kernels. Kernels that it gets wrong are replaced: sums
 * and means (single precision), max pooling (where all of a window is negative), the gradient for the input of a 3D
 * convolution, and gathering (from batches). So are three that it is slow at: the product of a transposed matrix and the gradient for the input of a
 * convolution, by those that it is quick at, and gathering again. It may be called twice. A later TensorFlow.js may bring the gradients that are missing: those are left alone.
 */
export function registerWasmTrainingKernels(tf: KernelTf): void {
  const backendName = 'wasm';
  for (const [kernelName, make] of Object.entries(MISSING)) {
    if (tf.getKernel(kernelName, backendName)) continue;
    const kernelFunc = make(tf);
    tf.registerKernel({ kernelName, backendName, kernelFunc: (call) => kernelFunc(call as never) });
  }
  for (const [kernelName, make] of Object.entries(REPLACED)) {
    const original = tf.getKernel(kernelName, backendName);
    if (!original || ours.has(original.kernelFunc)) continue;
    const replacement = make(original.kernelFunc as unknown as KernelFunction, tf);
    const kernelFunc: typeof original.kernelFunc = (call) => replacement(call as never);
    ours.add(kernelFunc);
    tf.unregisterKernel(kernelName, backendName);
    // Its own set-up stays: the original is still asked for some cases.
    tf.registerKernel({ ...original, kernelFunc });
  }
}
