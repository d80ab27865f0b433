import { describe, expect, it } from 'vitest';
import { settledRateScale } from '../src/policy.ts';

describe('the factor on the rate that a batch of 512 comes to', () => {
  it.each([
    ['Adam, by the root', 'goodput', {}, 4],
    ['Adam, up to its bound', 'goodput', { batchSize: 4 }, 8],
    ['SGD, in a straight line up to its bound', 'goodput', { optimizer: 'sgd' }, 4],
    ['momentum, up to twice that of SGD', 'goodput', { optimizer: 'momentum' }, 8],
    ['a rule that is not the usual one', 'knee', { optimizer: 'sgd', learningRateRule: 'sqrt' }, 4],
    ['no rule', 'noiseScale', { learningRateRule: 'none' }, 1],
    ['a rule that goes by the noise', 'goodput', { learningRateRule: 'adamscale' }, undefined],
    ["a rule of the user's", 'goodput', { learningRateRule: () => 3 }, undefined],
    ['a policy with rates of its own', 'schedule', {}, undefined],
    ['a batch that stays', 'fixed', {}, undefined],
  ] as const)('%s', (_what, name, options, expected) => {
    expect(settledRateScale(name, options, { batchSize: 512 })).toBe(expected);
  });

  it('is 1 for all examples where they are fewer than the batch of the rate', () => {
    const at = (batchSize: number) =>
      settledRateScale('goodput', { optimizer: 'sgd' }, { batchSize, datasetSize: 20 });
    expect([at(20), at(16)]).toEqual([1, 0.8]);
  });
});
