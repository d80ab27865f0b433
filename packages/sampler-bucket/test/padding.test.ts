import { describe, expect, it } from 'vitest';
import { padSequences, paddingReport } from '../src/index.ts';

const sequences = [[5, 6, 7], [8], [9, 4]];

describe('padSequences', () => {
  it('fills up to the longest and masks what it filled', () => {
    expect(padSequences(sequences)).toEqual({
      data: Int32Array.of(5, 6, 7, 8, 0, 0, 9, 4, 0),
      mask: Float32Array.of(1, 1, 1, 1, 0, 0, 1, 1, 0),
      shape: [3, 3],
      lengths: Int32Array.of(3, 1, 2),
    });
  });

  it('fills at the start, with a number of choice, to a multiple', () => {
    expect(
      padSequences([[5, 6, 7], [8]], { side: 'start', value: -1, padding: { toMultipleOf: 2 } }),
    ).toEqual({
      data: Int32Array.of(-1, 5, 6, 7, -1, -1, -1, 8),
      mask: Float32Array.of(0, 1, 1, 1, 0, 0, 0, 1),
      shape: [2, 4],
      lengths: Int32Array.of(3, 1),
    });
  });

  it.each([
    [3, [3, 4]],
    [4, [4, 8]],
    [8, [8, 3]],
    [9, [16, 9, 12]],
  ])('takes the least fixed length that holds %d tokens', (length, toLengths) => {
    const { shape } = padSequences([Array.from({ length }, () => 1)], { padding: { toLengths } });
    expect(shape).toEqual([1, { 3: 3, 4: 4, 8: 8, 9: 9 }[length]]);
  });

  it('takes typed arrays', () => {
    expect(padSequences([Int32Array.of(1, 2), Uint8Array.of(3)]).data).toEqual(Int32Array.of(1, 2, 3, 0));
  });

  it('takes all integers of 32 bits', () => {
    const [least, most] = [-(2 ** 31), 2 ** 31 - 1];
    expect(padSequences([[least, -0], [most]], { value: least }).data).toEqual(
      Int32Array.of(least, 0, most, least),
    );
  });

  it.each<[string, () => unknown]>([
    ['There are no sequences; give at least one.', () => padSequences([])],
    [
      'sequences[0][1] is 1.7; give an integer from -2147483648 to 2147483647.',
      () => padSequences([[5, 1.7], [3e9]]),
    ],
    [
      'sequences[1][0] is 3000000000; give an integer from -2147483648 to 2147483647.',
      () => padSequences([[5], Float64Array.of(3e9)]),
    ],
    ['sequences[0][0] is NaN; give an integer from -2147483648 to 2147483647.', () => padSequences([[NaN]])],
    [
      'value is NaN; give an integer from -2147483648 to 2147483647.',
      () => padSequences([[1]], { value: NaN }),
    ],
    [
      'value is 0.5; give an integer from -2147483648 to 2147483647.',
      () => padSequences([[1]], { value: 0.5 }),
    ],
    [
      'sequences[1].length is 0; leave empty sequences out of the data, by subset say.',
      () => padSequences([[1], []]),
    ],
    [
      'padding.toLengths is empty; give the lengths, or leave padding out.',
      () => padSequences([[1]], { padding: { toLengths: [] } }),
    ],
    [
      'padding.toLengths[1] is NaN; give an integer from 1 to 2147483647.',
      () => padSequences([[1]], { padding: { toLengths: [4, NaN] } }),
    ],
    [
      'padding.toMultipleOf is 2.5; give an integer from 1 to 2147483647.',
      () => padSequences([[1]], { padding: { toMultipleOf: 2.5 } }),
    ],
    [
      'A sequence of 3 tokens is longer than the largest of padding.toLengths, 2; truncate it or add a length.',
      () => padSequences([[1, 2, 3]], { padding: { toLengths: [2, 1] } }),
    ],
  ])('refuses: %s', (message, pad) => {
    expect(pad).toThrow(new RangeError(message));
  });
});

describe('paddingReport', () => {
  it('counts what padding costs', () => {
    // 3 · 9 + 3 · 7 = 48 padded tokens for 13 + 14 own ones.
    expect(
      paddingReport(
        [
          [0, 1, 2],
          [3, 4, 5],
        ],
        [3, 9, 1, 7, 5, 2],
      ),
    ).toEqual({
      batches: 2,
      examples: 6,
      tokens: 27,
      paddedTokens: 48,
      waste: 21 / 48,
      shapes: 2,
    });
  });

  it('rounds lengths up, and counts equal shapes once', () => {
    // Two batches of 2 x 4, one of 1 x 4, one of 1 x 8.
    const report = paddingReport([[0, 1], [2, 0], [1], [3]], [3, 4, 1, 5], { toMultipleOf: 4 });
    expect(report).toMatchObject({ tokens: 20, paddedTokens: 28, waste: 8 / 28, shapes: 3 });
  });

  it('agrees with the rectangles that padSequences makes', () => {
    const { data, mask } = padSequences(sequences, { padding: { toLengths: [5] } });
    const report = paddingReport([[0, 1, 2]], [3, 1, 2], { toLengths: [5] });
    expect(report).toMatchObject({
      paddedTokens: data.length,
      tokens: mask.filter((value) => value === 1).length,
    });
  });

  it.each<[string, () => unknown]>([
    ['paddingReport got no batches; give at least one.', () => paddingReport([], [1])],
    ['A batch is empty; stop at the end of the epoch.', () => paddingReport([[]], [1])],
    ['batch[1] is 2; give an integer from 0 to 1.', () => paddingReport([[0, 2]], [1, 1])],
    ['lengths[0] is NaN; give an integer from 1 to 2147483647.', () => paddingReport([[0]], [NaN])],
  ])('refuses: %s', (message, report) => {
    expect(report).toThrow(new RangeError(message));
  });
});
