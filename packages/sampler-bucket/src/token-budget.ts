import { MAX_SIZE, requireInteger } from '@batchwise/sampler';

/** How batches are taken by tokens. */
export interface TokenBatchOptions {
  /** Batches of at least this many sequences are cut to a multiple of it, for few shapes. Default 1. */
  readonly rowMultiple?: number;
}

/** The sequences that may share a batch: they come longest first. */
export interface Candidates {
  /** The index of the next example, for messages. */
  readonly index: number;
  /** Its padded length: that of the batch. */
  readonly paddedTokens: number;
  /** Sequences left in its group. */
  readonly count: number;
}

/**
 * How many of the candidates fit into `maxTokens` when all are padded to the first of them, rounded as in fairseq's
 * `batch_by_size_fast`.
 * @throws RangeError when not even one fits, or an argument is not an integer of 1 or more
 */
export function rowsWithin(
  maxTokens: number,
  { index, paddedTokens, count }: Candidates,
  { rowMultiple = 1 }: TokenBatchOptions,
): number {
  requireInteger('maxTokens', maxTokens, { from: 1 });
  requireInteger('rowMultiple', rowMultiple, { from: 1, to: MAX_SIZE });
  const rows = Math.min(count, Math.floor(maxTokens / paddedTokens));
  if (rows === 0) {
    throw new RangeError(
      `maxTokens is ${maxTokens}, and example ${index} alone has ${paddedTokens} padded tokens; give at least as many, or truncate it.`,
    );
  }
  return rows < rowMultiple ? rows : rows - (rows % rowMultiple);
}
