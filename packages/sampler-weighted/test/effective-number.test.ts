import { describe, expect, it } from 'vitest';
import { effectiveNumberWeights } from '../src/index.ts';
import { sum } from './support.ts';

describe('effectiveNumberWeights', () => {
  it('is (1 − β) / (1 − β^n), scaled to add up to the number of classes', () => {
    // β = 0.5: E = 1, 1.5, 1.75, so 1 / E = 1, 2/3, 4/7, which add up to 47/21.
    const weights = effectiveNumberWeights([1, 2, 3], { beta: 0.5 });
    [1, 2 / 3, 4 / 7].forEach((inverse, k) => expect(weights[k]).toBeCloseTo((3 * inverse * 21) / 47, 12));
    expect(sum(weights)).toBeCloseTo(3, 12);
  });

  it('weighs all alike at β = 0 and inversely to the counts as β comes close to 1', () => {
    expect([...effectiveNumberWeights([1, 10, 1000], { beta: 0 })]).toEqual([1, 1, 1]);
    const weights = effectiveNumberWeights([10, 100], { beta: 1 - 1e-13 });
    expect((weights[0] ?? 0) / (weights[1] ?? 1)).toBeCloseTo(10, 8);
  });

  it('refuses empty classes and β out of range', () => {
    expect(() => effectiveNumberWeights([3, 0], { beta: 0.9 })).toThrow(
      new RangeError('counts[1] is 0; give an integer from 1 to 9007199254740991.'),
    );
    expect(() => effectiveNumberWeights([], { beta: 0.9 })).toThrow(
      new RangeError('The number of classes is 0; give an integer from 1 to 9007199254740991.'),
    );
    for (const beta of [1, -0.1, NaN])
      expect(() => effectiveNumberWeights([3], { beta })).toThrow(
        new RangeError(`beta is ${beta}; give a number from 0 up to, not including, 1.`),
      );
  });
});
