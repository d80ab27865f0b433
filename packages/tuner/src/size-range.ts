import type { RunInfo } from '@batchwise/core';
import { checkAbove, checkCount } from './check.ts';

/** Beyond this share of the dataset, larger batches generalised worse in the runs behind the default. */
const LARGEST_SHARE = 1 / 16;
/**
 * A run that ends after so many examples needs steps as well: where steps cost next to nothing, progress per second alone
 * would spend the examples on a few large ones. On MNIST, three epochs in 159 steps of 1,024 end a point of accuracy below
 * the same in 633 steps of 256.
 */
const LEAST_STEPS = 500;
/** A stream has no share to take: its batches stay below this unless `maxBatchSize` says otherwise. */
const STREAM_MAX = 4096;

/** Bounds of the batch, in examples. */
export interface SizeOptions {
  /** Where the run starts, in examples; the learning rate is configured for it. Default 32. */
  readonly batchSize?: number | undefined;
  /** Smallest batch allowed, in examples. */
  readonly minBatchSize?: number | undefined;
  /** Largest batch allowed, in examples; a 16th of the dataset and a 500th of the run bound it too, unless
   * `batchSize` is larger. */
  readonly maxBatchSize?: number | undefined;
  /** Where no `maxBatchSize` is given: the batch up to which the learning rate follows it, in examples. It bounds the batch too. */
  readonly rateEndsAt?: number | undefined;
}

/** Bounds in examples. */
export type SizeRange = { readonly start: number; readonly min: number; readonly max: number };

/**
 * The bounds that hold before the run is known.
 * @throws RangeError unless all are whole numbers with min ≤ batchSize ≤ max
 */
export function checkSizes({ batchSize = 32, minBatchSize, maxBatchSize, rateEndsAt }: SizeOptions): void {
  checkCount(batchSize, 'batchSize');
  if (rateEndsAt !== undefined) checkAbove(rateEndsAt, 'rateEndsAt');
  if (minBatchSize !== undefined) checkCount(minBatchSize, 'minBatchSize');
  if (maxBatchSize !== undefined) checkCount(maxBatchSize, 'maxBatchSize');
  if ((minBatchSize ?? 0) > batchSize || batchSize > (maxBatchSize ?? Infinity))
    throw new RangeError(
      `batchSize is ${batchSize}, outside of ${minBatchSize ?? 1} to ${maxBatchSize ?? 'any size'}; ` +
        'the run starts there, so it must lie between minBatchSize and maxBatchSize.',
    );
}

/** A share of the dataset that a batch may be, and of a run of known length, in examples. */
const largestShare = (datasetSize: number): number => Math.floor(datasetSize * LARGEST_SHARE);
const largestForSteps = (plannedExamples: number): number => Math.floor(plannedExamples / LEAST_STEPS);

/** The bounds of one run; `usualMin` is the least where no `minBatchSize` is given. */
export function sizeRange(
  { batchSize = 32, minBatchSize, maxBatchSize, rateEndsAt }: SizeOptions,
  { datasetSize, plannedExamples }: Pick<RunInfo, 'datasetSize' | 'plannedExamples'>,
  usualMin: number,
): SizeRange {
  const byShare = datasetSize === undefined ? STREAM_MAX : largestShare(datasetSize);
  const share = Math.min(byShare, largestForSteps(plannedExamples ?? Infinity));
  const byData =
    maxBatchSize !== undefined && datasetSize === undefined ? Infinity : Math.max(share, batchSize);
  const byRate = Math.max(batchSize, Math.floor(rateEndsAt ?? Infinity));
  const max = Math.min(maxBatchSize ?? byRate, byData, datasetSize ?? Infinity);
  return { start: Math.min(batchSize, max), min: Math.min(minBatchSize ?? usualMin, batchSize, max), max };
}

/** Why no batch twice as large as the first is allowed, for a person; undefined where one is. */
export function whyNoLarger(
  options: SizeOptions,
  run: Pick<RunInfo, 'datasetSize' | 'plannedExamples'>,
): string | undefined {
  const { start, max } = sizeRange(options, run, 1);
  if (max >= 2 * start) return undefined;
  const { maxBatchSize = Infinity, rateEndsAt = Infinity } = options;
  const { datasetSize, plannedExamples = Infinity } = run;
  const forSteps = largestForSteps(plannedExamples);
  const share = datasetSize === undefined ? STREAM_MAX : largestShare(datasetSize);
  // Of a stream only what is given bounds it, where something is.
  if (datasetSize === undefined ? max === maxBatchSize : maxBatchSize <= Math.min(forSteps, share))
    return `the largest allowed is ${maxBatchSize}`;
  if (options.maxBatchSize === undefined && rateEndsAt <= Math.min(forSteps, share))
    return `the learning rate follows it up to ${rateEndsAt}`;
  if (forSteps < share)
    return `in a run of ${plannedExamples} examples it would leave fewer than ${LEAST_STEPS} steps`;
  return datasetSize === undefined
    ? `of a stream it would be more than ${STREAM_MAX}, which needs maxBatchSize`
    : `it would be more than a 16th of the ${datasetSize} examples`;
}
