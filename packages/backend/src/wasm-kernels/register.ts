import { convFilterGradient } from './conv-filter.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise.ts';
import { segmentSum } from './segment-sum.ts';
import type { KernelFunction, KernelTf } from './kernel.ts';

const KERNELS: Readonly<Record<string, (tf: KernelTf) => KernelFunction>> = {
  Conv2DBackpropFilter: convFilterGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
  UnsortedSegmentSum: segmentSum,
};

/**
 * Gives the wasm engine the four kernels that training needs and that it lacks in TensorFlow.js 4.22: the gradients
 * of convolution filters, of depthwise convolutions, and of embeddings. They are made of the engine's own kernels; the
 * filter gradient as one matrix product per filter position is some 40 times faster than the cpu engine's kernel.
 * Kernels that are already there are left alone, so it may be called twice, and a later TensorFlow.js may bring its own.
 */
export function registerWasmTrainingKernels(tf: KernelTf): void {
  for (const [kernelName, make] of Object.entries(KERNELS)) {
    if (tf.getKernel(kernelName, 'wasm')) continue;
    const kernelFunc = make(tf);
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: (call) => kernelFunc(call as never) });
  }
}
