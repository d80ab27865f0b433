import { seededRandom } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { between, nearlyNormal } from '../../src/digits/random-draws.ts';

const COUNT = 20_000;
const moment = (values: readonly number[], power: number) =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

describe('nearlyNormal', () => {
  it('has mean 0, variance 1 and the fourth moment of a sum of four uniforms', () => {
    const random = seededRandom(3);
    const values = Array.from({ length: COUNT }, () => nearlyNormal(random));
    expect(Math.abs(moment(values, 1))).toBeLessThan(0.03);
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(0.04);
    // 3 - 1.2/4, by the excess kurtosis -1.2 of one uniform
    expect(Math.abs(moment(values, 4) - 2.7)).toBeLessThan(0.2);
    expect(Math.max(...values.map(Math.abs))).toBeLessThan(2 * Math.sqrt(3));
  });
});

describe('between', () => {
  it('fills its range evenly', () => {
    const random = seededRandom(3);
    const values = Array.from({ length: COUNT }, () => between(random, -1, 3));
    expect(Math.abs(moment(values, 1) - 1)).toBeLessThan(0.03);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThan(3);
    expect(Math.min(...values)).toBeLessThan(-0.99);
    expect(Math.max(...values)).toBeGreaterThan(2.99);
  });
});
