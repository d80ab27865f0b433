import { randomAccessSampler, type IndexSampler } from './index-sampler.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';

/**
 * 0, 1, 2, … `size` − 1 in every epoch: for evaluation, and for data that is in its final order already.
 * @throws RangeError when `size` is not an integer from 1 to 2³¹ − 1
 */
export function sequential(size: number): IndexSampler {
  requireInteger('size', size, { from: 1, to: MAX_SIZE });
  return randomAccessSampler(
    size,
    () => (from, to) => Int32Array.from({ length: to - from }, (_, k) => from + k),
  );
}
