import { MAX_SIZE, requireInteger } from '@batchwise/sampler';

/**
 * What the sequences of a batch are padded to, beyond the longest of them: the next multiple, or the next of a few fixed
 * lengths. Few lengths mean few shapes: less to compile on WebGL and WebGPU, and more sequences that may share a batch.
 */
export type Padding = { readonly toMultipleOf: number } | { readonly toLengths: readonly number[] };

/** Both ends included. */
const TOKENS = { from: 1, to: MAX_SIZE };

/** From the length of a sequence, or of the longest of a batch, to the length it is padded to. */
export type PaddedLength = (length: number) => number;

/**
 * The rule of a `Padding`, checked once; the length itself where there is none.
 * @throws RangeError when a multiple or a length is not an integer of 1 or more, or there is no length at all. The rule
 *   throws it for a sequence that is longer than the largest of `toLengths`
 */
export function paddedLength(padding?: Padding): PaddedLength {
  if (padding === undefined) return (length) => length;
  if ('toMultipleOf' in padding) {
    const { toMultipleOf } = padding;
    requireInteger('padding.toMultipleOf', toMultipleOf, TOKENS);
    return (length) => Math.ceil(length / toMultipleOf) * toMultipleOf;
  }
  if (padding.toLengths.length === 0)
    throw new RangeError('padding.toLengths is empty; give the lengths, or leave padding out.');
  padding.toLengths.forEach((length, k) => requireInteger(`padding.toLengths[${k}]`, length, TOKENS));
  return nextOf(Int32Array.from(padding.toLengths).sort());
}

function nextOf(ascending: Int32Array): PaddedLength {
  return (length) => {
    const next = ascending.find((allowed) => allowed >= length);
    if (next !== undefined) return next;
    throw new RangeError(
      `A sequence of ${length} tokens is longer than the largest of padding.toLengths, ${ascending.at(-1)}; truncate it or add a length.`,
    );
  };
}

/**
 * A copy, each number checked.
 * @param name what a message calls the k-th one
 * @throws RangeError when there are none or more than 2³¹ − 1, or one is not an integer from 1 to 2³¹ − 1
 */
export function checkedLengths(
  lengths: ArrayLike<number>,
  name = (k: number) => `lengths[${k}]`,
): Int32Array {
  if (lengths.length === 0) throw new RangeError('There are no sequences; give at least one.');
  requireInteger('The number of sequences', lengths.length, { from: 1, to: MAX_SIZE });
  return Int32Array.from(lengths, (length, k) => {
    if (length === 0)
      throw new RangeError(`${name(k)} is 0; leave empty sequences out of the data, by subset say.`);
    requireInteger(name(k), length, TOKENS);
    return length;
  });
}
