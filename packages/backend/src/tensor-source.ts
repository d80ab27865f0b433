import type { BatchSource } from '@batchwise/core';
import { gathered, type IndexSampler } from '@batchwise/sampler';
import { listOf, type ArrayBatch } from './array-batch.ts';
import type { Tensor } from './tf.ts';

/** Inputs and targets with one row per example, as `model.fit` takes them. They stay the caller's. */
export interface ExampleTensors {
  readonly xs: Tensor | readonly Tensor[];
  readonly ys: Tensor | readonly Tensor[];
}

/**
 * Batches of tensors that are on the device, in the order of a sampler. What `model.fit` does, and the fastest source
 * where all examples fit on the device and it gathers rows quickly (native); on wasm arrays in host memory are faster.
 * @throws RangeError when a tensor has not as many rows as the sampler has examples
 */
export function tensorSource(sampler: IndexSampler, examples: ExampleTensors): BatchSource<ArrayBatch> {
  const [xs, ys] = [listOf(examples.xs), listOf(examples.ys)];
  for (const { shape } of [...xs, ...ys])
    if (shape[0] !== sampler.size)
      throw new RangeError(
        `A tensor of shape [${shape.join(', ')}] does not hold the ${sampler.size} examples of the sampler; ` +
          'give each of xs and ys one row per example.',
      );
  return gathered(sampler, (indices) => {
    const rowsOf = (tensor: Tensor) => ({ tensor, indices });
    return { xs: xs.map(rowsOf), ys: ys.map(rowsOf) };
  });
}
