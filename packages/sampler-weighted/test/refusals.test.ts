import { describe, expect, it } from 'vitest';
import {
  adjustable,
  lossProportional,
  prioritized,
  SumTree,
  weighted,
  weightedWithoutReplacement,
} from '../src/index.ts';

const seed = 1;
const ABOVE = 'give a finite number above 0';
const SUBSET = 'to leave an example out, sample a subset without it';

const samplers: Record<string, (weights: ArrayLike<number>) => unknown> = {
  weighted: (weights) => weighted(weights, { seed }),
  weightedWithoutReplacement: (weights) => weightedWithoutReplacement(weights, { seed }),
  adjustable: (weights) => adjustable(weights, { seed }),
  'a state of adjustable': (weights) =>
    adjustable(new Float64Array(weights.length).fill(1), { seed, state: { weights: Array.from(weights) } }),
};

describe.each(Object.entries(samplers))('%s', (_name, make) => {
  it.each([
    [[1, 0], `weights[1] is 0; ${ABOVE}; ${SUBSET}.`],
    [[1, -0], `weights[1] is 0; ${ABOVE}; ${SUBSET}.`],
    [[-1, 1], `weights[0] is -1; ${ABOVE}.`],
    [[1, 2, NaN], `weights[2] is NaN; ${ABOVE}.`],
    [[1, Infinity], `weights[1] is Infinity; ${ABOVE}.`],
    [[-Infinity, 1], `weights[0] is -Infinity; ${ABOVE}.`],
    [[1.7e308, 1.7e308], 'The weights add up to Infinity; divide them by a common factor.'],
  ])('refuses the weights %j', (weights, message) => {
    expect(() => make(weights)).toThrow(new RangeError(message));
  });
});

/** So many, and none of them there: what reads one before it looks at their number says so. */
const absent = (length: number): ArrayLike<number> => ({ length });

describe('more weights or examples than there may be', () => {
  it.each<[string, () => unknown]>([
    [
      'The number of weights is 2147483648; give an integer from 1 to 2147483647.',
      () => weighted(absent(2 ** 31), { seed }),
    ],
    [
      'The number of weights is 2147483648; give an integer from 1 to 2147483647.',
      () => weightedWithoutReplacement(absent(2 ** 31), { seed }),
    ],
    [
      'The number of weights is 2147483648; give an integer from 1 to 268435456.',
      () => adjustable(absent(2 ** 31), { seed }),
    ],
    [
      'The number of weights is 268435457; give an integer from 1 to 268435456.',
      () => adjustable(absent(2 ** 28 + 1), { seed }),
    ],
    [
      'The number of weights is 268435457; give an integer from 1 to 268435456.',
      () => new SumTree(absent(2 ** 28 + 1)),
    ],
    [
      'population is 268435457; give an integer from 1 to 268435456.',
      () => lossProportional(2 ** 28 + 1, { seed }),
    ],
    [
      'population is 268435457; give an integer from 1 to 268435456.',
      () => prioritized(2 ** 28 + 1, { seed }),
    ],
  ])('are refused before one is read or anything allocated: %s', (message, make) => {
    expect(make).toThrow(new RangeError(message));
  });

  it.each(['weighted', 'weightedWithoutReplacement', 'adjustable'])('none are refused by %s', (name) => {
    const most = name === 'adjustable' ? 268435456 : 2147483647;
    expect(() => samplers[name]?.([])).toThrow(
      new RangeError(`The number of weights is 0; give an integer from 1 to ${most}.`),
    );
  });
});

describe('setWeight of adjustable', () => {
  it.each([
    [0, `weight is 0; ${ABOVE}; ${SUBSET}.`],
    [-2, `weight is -2; ${ABOVE}.`],
    [NaN, `weight is NaN; ${ABOVE}.`],
    [Infinity, `weight is Infinity; ${ABOVE}.`],
    [-Infinity, `weight is -Infinity; ${ABOVE}.`],
  ])('refuses %d, and keeps what it had', (weight, message) => {
    const sampler = adjustable([1, 3], { seed });
    expect(() => sampler.setWeight(1, weight)).toThrow(new RangeError(message));
    expect(sampler.state()).toEqual({ weights: [1, 3] });
  });

  it('refuses a weight with which all add up to Infinity, though not one in the place of a large one', () => {
    const sampler = adjustable([1, 1.7e308], { seed });
    expect(() => sampler.setWeight(0, 1.7e308)).toThrow(
      new RangeError('The weights add up to Infinity; divide them by a common factor.'),
    );
    expect(sampler.state()).toEqual({ weights: [1, 1.7e308] });
    sampler.setWeight(1, 1.6e308);
    expect(sampler.weightOf(1)).toBe(1.6e308);
  });

  it.each([-1, 2, 0.5, NaN])('and weightOf refuse the index %d', (index) => {
    const sampler = adjustable([1, 3], { seed });
    const error = new RangeError(`index is ${index}; give an integer from 0 to 1.`);
    expect(() => sampler.setWeight(index, 1)).toThrow(error);
    expect(() => sampler.weightOf(index)).toThrow(error);
  });
});
