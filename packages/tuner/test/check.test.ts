import { expect, it } from 'vitest';
import { checkAbove, checkCount, checkShare } from '../src/check.ts';

it('takes whole numbers from the least on', () => {
  for (const value of [3, 4]) expect(() => checkCount(value, 'steps', 3)).not.toThrow();
  for (const value of [2, 3.5, NaN, Infinity])
    expect(() => checkCount(value, 'steps', 3)).toThrow(
      new RangeError(`steps is ${value}; give a whole number of at least 3.`),
    );
});

it('takes finite numbers above the bound', () => {
  expect(() => checkAbove(1.01, 'ratio', 1)).not.toThrow();
  for (const value of [1, 0, NaN, Infinity])
    expect(() => checkAbove(value, 'ratio', 1)).toThrow(
      new RangeError(`ratio is ${value}; give a finite number above 1.`),
    );
});

it('takes shares from 0 up to below 1', () => {
  for (const value of [0, 0.99]) expect(() => checkShare(value, 'share')).not.toThrow();
  for (const value of [-0.1, 1, NaN])
    expect(() => checkShare(value, 'share')).toThrow(
      new RangeError(`share is ${value}; give a share from 0 up to below 1.`),
    );
});
