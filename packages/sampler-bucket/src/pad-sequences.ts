import { MAX_SIZE, requireInteger } from '@batchwise/sampler';
import { checkedLengths, paddedLength, type Padding } from './padding.ts';

/** What `data` can hold: it would store another number in silence. */
const INT32 = { from: -(2 ** 31), to: MAX_SIZE };

/** Where and with what the free places are filled. */
export interface PadOptions {
  /** What the longest sequence is padded to; nothing beyond itself where it is not given. */
  readonly padding?: Padding;
  /** The number in free places. Default 0. */
  readonly value?: number;
  /** Where the free places are; `start` keeps the last token next to the output of a recurrent layer. Default `end`. */
  readonly side?: 'start' | 'end';
}

/** A batch of sequences as a rectangle, row-major, `shape[0]` sequences of `shape[1]` tokens. */
export interface PaddedSequences {
  readonly data: Int32Array;
  /** 1 where `data` has a token of a sequence, 0 where it is padding. */
  readonly mask: Float32Array;
  readonly shape: readonly [rows: number, columns: number];
  /** Tokens of each sequence. */
  readonly lengths: Int32Array;
}

/**
 * Pads sequences of tokens to one length. `data` and `mask` are new arrays, and fit an `ArrayTensor` of
 * @batchwise/backend together with `shape`.
 * @throws RangeError when there are no sequences, one is empty, one is longer than the largest of `toLengths`, or a token
 *   or `value` is not a 32-bit integer
 */
export function padSequences(
  sequences: readonly ArrayLike<number>[],
  { padding, value = 0, side = 'end' }: PadOptions = {},
): PaddedSequences {
  const lengths = checkedLengths(
    sequences.map(({ length }) => length),
    (k) => `sequences[${k}].length`,
  );
  const columns = paddedLength(padding)(lengths.reduce((longest, length) => Math.max(longest, length), 0));
  requireInteger('value', value, INT32);
  sequences.forEach(requireTokens);
  const data = new Int32Array(sequences.length * columns).fill(value);
  const mask = new Float32Array(data.length);
  sequences.forEach((sequence, row) => {
    const start = row * columns + (side === 'start' ? columns - sequence.length : 0);
    data.set(sequence, start);
    mask.fill(1, start, start + sequence.length);
  });
  return { data, mask, shape: [sequences.length, columns], lengths };
}

function requireTokens(sequence: ArrayLike<number>, k: number): void {
  for (let t = 0; t < sequence.length; t++) {
    const token = sequence[t] ?? NaN;
    // The name is made only for the message: there are many tokens.
    if ((token | 0) !== token) requireInteger(`sequences[${k}][${t}]`, token, INT32);
  }
}
