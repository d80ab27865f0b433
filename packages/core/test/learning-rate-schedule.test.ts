import { describe, expect, it } from 'vitest';
import { constantRate, cosineDecay, productOf, stepDecay, warmUp } from '../src/index.ts';

describe('learning-rate schedules', () => {
  it('warm up linearly in examples', () => {
    const schedule = warmUp(100);
    expect([0, 49, 99, 5000].map(schedule)).toEqual([0.01, 0.5, 1, 1]);
  });

  it('decay by half a cosine to the floor', () => {
    const schedule = cosineDecay(600, 0.1);
    expect(schedule(0)).toBeCloseTo(1, 12);
    expect(schedule(200)).toBeCloseTo(0.1 + 0.9 * 0.75, 12);
    expect(schedule(300)).toBeCloseTo(0.55, 12);
    expect(schedule(600)).toBeCloseTo(0.1, 12);
    expect(schedule(9000)).toBeCloseTo(0.1, 12);
  });

  it('decay in steps', () => {
    expect([0, 99, 100, 250].map(stepDecay(100, 0.5))).toEqual([1, 1, 0.5, 0.25]);
  });

  it('multiply', () => {
    expect(productOf(stepDecay(100, 0.5), warmUp(400), constantRate)(199)).toBeCloseTo(0.25, 12);
  });

  it('refuse what makes no sense, with the value', () => {
    expect(() => warmUp(0)).toThrow('warmUp examples is 0; give a number above 0.');
    expect(() => cosineDecay(10, 2)).toThrow('cosineDecay floor is 2; give a number from 0 to 1.');
    expect(() => stepDecay(NaN, 0.5)).toThrow(RangeError);
  });
});
