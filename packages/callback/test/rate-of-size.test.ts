import { describe, expect, it } from 'vitest';
import { rateOfSize } from '../src/rate-of-size.ts';
import { always } from './support.ts';

describe('the factor on the rate that a run begins with at a size', () => {
  it.each([
    ['Adam, by the root', {}, 4],
    ['Adam, up to its bound', { batchSize: 4 }, 8],
    ['SGD, in a straight line up to its bound', { optimizer: 'sgd' }, 4],
    ['momentum', { optimizer: 'momentum', batchSize: 128 }, 4],
    ['a rule that is not the usual one', { optimizer: 'sgd', learningRateRule: 'sqrt', policy: 'knee' }, 4],
    ['no rule', { learningRateRule: 'none', policy: 'noiseScale' }, 1],
    ['a rule that goes by the noise', { learningRateRule: 'adamscale' }, undefined],
    ["a rule of the user's", { learningRateRule: () => 3 }, undefined],
    ['a policy with rates of its own', { policy: 'schedule' }, undefined],
    ["a controller of the user's", { controller: always({ batchSize: 8 }) }, undefined],
  ] as const)('%s', (_name, options, expected) => {
    expect(rateOfSize(options)(512)).toBe(expected);
  });
});
