import type { StaticLimit } from '@batchwise/memory-probe';
import type { LayersModel, Tf } from './tf.ts';
import type { GpuBackend } from './webgpu/gpu-buffers.ts';

/** A layer as far as it is looked at: the shape of what it gives, or shapes, with null for the batch. */
interface ShapedLayer {
  readonly name: string;
  readonly outputShape: readonly (number | null)[] | readonly (readonly (number | null)[])[];
  getClassName(): string;
}

/** TensorFlow.js computes in 32 bits. */
const BYTES = 4;

/** Convolutions and pooling on WebGPU spend one dimension of a dispatch on the examples. */
const DISPATCHED = /Conv|Pool/;

/**
 * Batch sizes that the engine will refuse whatever memory there is, known without a run. On WebGPU no tensor may be larger
 * than a buffer or its binding, and a convolution takes at most as many examples as a dispatch has workgroups (65,535).
 * Layers of a shape that is not known beforehand are passed over. None on the other engines.
 */
export function staticLimits(tf: Tf, model: LayersModel): readonly StaticLimit[] {
  if (tf.getBackend() !== 'webgpu') return [];
  const { limits } = (tf.backend() as unknown as GpuBackend).device;
  const { maxBufferSize = Infinity, maxStorageBufferBindingSize = Infinity } = limits;
  const { maxComputeWorkgroupsPerDimension = Infinity } = limits;
  const tensorBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  return (model.layers as unknown as readonly ShapedLayer[]).flatMap((layer) => {
    const bytes = BYTES * Math.max(0, ...shapesOf(layer).map(valuesPerExample));
    return [
      ...limit(tensorBytes / bytes, `a tensor of layer ${layer.name} may take ${tensorBytes} bytes`),
      ...(DISPATCHED.test(layer.getClassName())
        ? limit(
            maxComputeWorkgroupsPerDimension,
            `layer ${layer.name} may dispatch ${maxComputeWorkgroupsPerDimension} workgroups`,
          )
        : []),
    ];
  });
}

const limit = (batchSize: number, reason: string): StaticLimit[] =>
  Number.isFinite(batchSize) ? [{ batchSize: Math.floor(batchSize), reason }] : [];

type Shape = readonly (number | null)[];

function shapesOf({ outputShape }: ShapedLayer): readonly Shape[] {
  return outputShape.some((part) => typeof part === 'object' && part !== null)
    ? (outputShape as readonly Shape[])
    : [outputShape as Shape];
}

/** 0 where a dimension beside the batch is not known. */
const valuesPerExample = ([, ...dimensions]: Shape): number =>
  dimensions.reduce<number>((product, size) => product * (size ?? 0), 1);
