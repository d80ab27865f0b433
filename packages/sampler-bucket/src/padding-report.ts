import { requireInteger } from '@batchwise/sampler';
import { checkedLengths, paddedLength, type Padding } from './padding.ts';

/** What padding costs over some batches. */
export interface PaddingReport {
  readonly batches: number;
  readonly examples: number;
  /** Tokens of the sequences themselves. */
  readonly tokens: number;
  /** Tokens with the padding: what is computed. */
  readonly paddedTokens: number;
  /** The share of `paddedTokens` that is padding, 0 to 1. */
  readonly waste: number;
  /** Different shapes, rows by columns. */
  readonly shapes: number;
}

/**
 * Counts tokens and padding of batches, each padded to its longest sequence and from there as `padding` says.
 * @param batches the indices of their examples
 * @param lengths in tokens, of all examples
 * @throws RangeError when a batch is empty, there is none, or an index or a length makes no sense
 */
export function paddingReport(
  batches: Iterable<ArrayLike<number>>,
  lengths: ArrayLike<number>,
  padding?: Padding,
): PaddingReport {
  const known = checkedLengths(lengths);
  const toColumns = paddedLength(padding);
  const shapes = new Set<string>();
  let [count, examples, tokens, paddedTokens] = [0, 0, 0, 0];
  for (const batch of batches) {
    const own = lengthsOf(batch, known);
    const columns = toColumns(own.reduce((longest, length) => Math.max(longest, length), 0));
    count += 1;
    examples += own.length;
    tokens += own.reduce((sum, length) => sum + length, 0);
    paddedTokens += own.length * columns;
    shapes.add(`${own.length} ${columns}`);
  }
  if (count === 0) throw new RangeError('paddingReport got no batches; give at least one.');
  return {
    batches: count,
    examples,
    tokens,
    paddedTokens,
    waste: 1 - tokens / paddedTokens,
    shapes: shapes.size,
  };
}

function lengthsOf(batch: ArrayLike<number>, known: Int32Array): Int32Array {
  if (batch.length === 0) throw new RangeError('A batch is empty; stop at the end of the epoch.');
  return Int32Array.from(batch, (index, k) => {
    requireInteger(`batch[${k}]`, index, { to: known.length - 1 });
    return known[index] ?? 0;
  });
}
