import type { BatchSource } from '@batchwise/core';
import { gathered, requireExamples, type IndexSampler } from '@batchwise/sampler';
import { listOf, type ArrayBatch } from './array-batch.ts';
import type { Tensor } from './tf.ts';

/** Inputs and targets with one row per example, as `model.fit` takes them. They stay the caller's. */
export interface ExampleTensors {
  readonly xs: Tensor | readonly Tensor[];
  readonly ys: Tensor | readonly Tensor[];
}

/**
 * Batches of tensors that are on the device, in the order of a sampler. What `model.fit` does, and the fastest source
 * where all examples fit on the device and it gathers rows quickly (native); on wasm arrays in host memory are as fast.
 * Importance weights of the sampler go for each output of the model.
 * @throws RangeError when a tensor has another number of rows than the sampler has examples to draw from
 */
export function tensorSource(sampler: IndexSampler, examples: ExampleTensors): BatchSource<ArrayBatch> {
  const [xs, ys] = [listOf(examples.xs), listOf(examples.ys)];
  for (const { shape } of [...xs, ...ys]) requireExamples(sampler, shape[0] ?? 0);
  return gathered(sampler, (indices, weights) => {
    const rowsOf = (tensor: Tensor) => ({ tensor, indices });
    const weighted = weights && { weights: ys.map(() => ({ data: weights, shape: [weights.length] })) };
    return { xs: xs.map(rowsOf), ys: ys.map(rowsOf), ...weighted };
  });
}
