import { describe, expect, it } from 'vitest';
import { sizeRange, snapDown, snapUp } from '../src/bounds.ts';

describe('sizeRange', () => {
  it('takes the lowest bound and says whose it is', () => {
    expect(sizeRange({ max: 100 })).toEqual({
      least: 1,
      most: 100,
      step: 1,
      limitedBy: 'maximum',
      reason: 'max is 100',
    });
    expect(sizeRange({ max: 100, datasetSize: 60 })).toMatchObject({ most: 60, limitedBy: 'dataset' });
    const staticLimits = [
      { batchSize: 65_535, reason: 'of a dispatch' },
      { batchSize: 50, reason: 'of a buffer' },
    ];
    expect(sizeRange({ max: 100, datasetSize: 60, staticLimits })).toMatchObject({
      most: 50,
      limitedBy: 'deviceLimit',
      reason: 'of a buffer',
    });
    expect(sizeRange({})).toMatchObject({ least: 1, limitedBy: 'none' });
  });

  it('keeps to multiples', () =>
    expect(sizeRange({ min: 5, max: 100, multipleOf: 8 })).toMatchObject({ least: 8, most: 96, step: 8 }));

  it('is empty where the examples are too few', () =>
    expect(sizeRange({ multipleOf: 32, datasetSize: 20 })).toMatchObject({
      least: 32,
      most: 0,
      limitedBy: 'dataset',
    }));

  it.each([
    [{ min: 0 }, 'min is 0'],
    [{ max: 2.5 }, 'max is 2.5'],
    [{ multipleOf: -8 }, 'multipleOf is -8'],
    [{ datasetSize: NaN }, 'datasetSize is NaN'],
    [{ min: 9, max: 15, multipleOf: 8 }, 'No batch size is a multiple of 8, at least 9 and at most 15.'],
  ])('refuses %j', (bounds, message) => expect(() => sizeRange(bounds)).toThrow(message));
});

it('snaps to multiples within the range', () => {
  const range = sizeRange({ min: 10, max: 50, multipleOf: 8 });
  expect([3, 16, 23.9, 24, 500].map((size) => snapDown(range, size))).toEqual([16, 16, 16, 24, 48]);
  expect([3, 16, 16.1, 24, 500].map((size) => snapUp(range, size))).toEqual([16, 16, 24, 24, 48]);
});
