import { describe, expect, it } from 'vitest';
import { ladder, nearestRung } from '../src/ladder.ts';

describe('ladder', () => {
  it('has the powers of two between the bounds, both included', () => {
    expect(ladder({ min: 8, max: 256 })).toEqual([8, 16, 32, 64, 128, 256]);
    expect(ladder({ min: 9, max: 255 })).toEqual([16, 32, 64, 128]);
  });

  it('has multiples times powers of two', () => {
    expect(ladder({ min: 20, max: 400, multipleOf: 24 })).toEqual([24, 48, 96, 192, 384]);
  });

  it('has one rung where nothing lies between', () => {
    expect(ladder({ min: 33, max: 60 })).toEqual([60]);
    expect(ladder({ min: 20, max: 20 })).toEqual([20]);
  });

  it('refuses bounds out of order', () => {
    expect(() => ladder({ min: 64, max: 32 })).toThrow('max is 32; give a whole number of at least 64.');
    expect(() => ladder({ min: 0, max: 32 })).toThrow('min is 0');
    expect(() => ladder({ min: 1, max: 32, multipleOf: 0 })).toThrow('multipleOf is 0');
  });
});

describe('nearestRung', () => {
  const rungs = [32, 64, 128, 256];

  // The border between 64 and 128 is 64 √2 = 90.51, not 96.
  it.each([
    [1, 32],
    [64, 64],
    [90, 64],
    [91, 128],
    [95, 128],
    [1000, 256],
  ])('of %s is %s', (size, nearest) => {
    expect(nearestRung(rungs, size)).toBe(nearest);
  });

  it('of two equally near is the smaller', () => {
    expect(nearestRung([4, 16], 8)).toBe(4);
  });

  it('refuses an empty ladder', () => {
    expect(() => nearestRung([], 8)).toThrow(RangeError);
  });
});
