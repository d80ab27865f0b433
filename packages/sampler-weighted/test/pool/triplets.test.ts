import { seededRandom } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { batchHardTriplets, semiHardTriplets } from '../../src/pool/index.ts';
import { range } from '../support.ts';

const rows = (triplets: Int32Array): number[][] =>
  range(triplets.length / 3).map((k) => [...triplets.subarray(3 * k, 3 * k + 3)]);

/** On a line: class 0 at 0, 1 and 5, class 1 at 2 and 9, class 2 at 20. */
const line = {
  embeddings: Float32Array.of(0, 1, 5, 2, 9, 20),
  labels: Int32Array.of(0, 0, 0, 1, 1, 2),
  dimensions: 1,
};

describe('batchHardTriplets', () => {
  it('takes the farthest positive and the nearest negative of each anchor that has both', () => {
    expect(rows(batchHardTriplets(line))).toEqual([
      [0, 2, 3],
      [1, 2, 3],
      [2, 0, 3],
      [3, 4, 1],
      [4, 3, 2],
    ]);
  });

  it('measures in all dimensions', () => {
    const batch = { embeddings: [0, 0, 3, 4, 0, 6, 5, 0], labels: [0, 0, 0, 1], dimensions: 2 };
    // From row 0: row 1 is at 5, row 2 at 6, row 3 at 5.
    expect(rows(batchHardTriplets(batch))[0]).toEqual([0, 2, 3]);
  });

  it('has none without two classes or without pairs', () => {
    expect(batchHardTriplets({ embeddings: [1, 2], labels: [0, 0], dimensions: 1 })).toEqual(
      new Int32Array(),
    );
    expect(batchHardTriplets({ embeddings: [1, 2], labels: [0, 1], dimensions: 1 })).toEqual(
      new Int32Array(),
    );
  });
});

describe('semiHardTriplets', () => {
  it('takes the nearest negative beyond the positive and within the margin', () => {
    // Squared distances from row 0: positives 1 and 25, negatives 4, 81 and 400.
    expect(rows(semiHardTriplets(line, { margin: 3.5 })).filter(([anchor]) => anchor === 0)).toEqual([
      [0, 1, 3],
    ]);
    expect(rows(semiHardTriplets(line, { margin: 3 })).filter(([anchor]) => anchor === 0)).toEqual([]);
    expect(rows(semiHardTriplets(line, { margin: 57 })).filter(([anchor]) => anchor === 0)).toEqual([
      [0, 1, 3],
      [0, 2, 4],
    ]);
  });

  it('agrees with trying all triplets', () => {
    const random = seededRandom(6);
    const embeddings = Float64Array.from({ length: 60 }, random.uniform);
    const labels = range(20).map(() => random.below(3));
    const distance = (a: number, b: number) =>
      [0, 1, 2].reduce(
        (sum, k) => sum + ((embeddings[3 * a + k] ?? 0) - (embeddings[3 * b + k] ?? 0)) ** 2,
        0,
      );
    const expected: number[][] = [];
    for (const a of range(20))
      for (const p of range(20)) {
        if (a === p || labels[a] !== labels[p]) continue;
        const candidates = range(20)
          .filter(
            (n) =>
              labels[n] !== labels[a] &&
              distance(a, n) > distance(a, p) &&
              distance(a, n) < distance(a, p) + 0.05,
          )
          .sort((m, n) => distance(a, m) - distance(a, n));
        if (candidates[0] !== undefined) expected.push([a, p, candidates[0]]);
      }
    expect(expected.length).toBeGreaterThan(20);
    expect(rows(semiHardTriplets({ embeddings, labels, dimensions: 3 }, { margin: 0.05 }))).toEqual(expected);
  });

  it('refuses what makes no sense', () => {
    expect(() => semiHardTriplets(line, { margin: 0 })).toThrow(
      new RangeError('margin is 0; give a number above 0, a squared distance.'),
    );
    expect(() => batchHardTriplets({ ...line, dimensions: 2 })).toThrow(
      new RangeError(
        '6 labels in 2 dimensions need 12 numbers, but there are 6; give one row of the embeddings per label.',
      ),
    );
    expect(() => batchHardTriplets({ ...line, dimensions: 0 })).toThrow(
      new RangeError('dimensions is 0; give an integer from 1 to 9007199254740991.'),
    );
    expect(() => batchHardTriplets({ embeddings: [1, 2, 3, NaN], labels: [0, 1], dimensions: 2 })).toThrow(
      new RangeError('Number 1 of embedding 1 is NaN; mine triplets of finite embeddings only.'),
    );
  });
});
