import { expect, it } from 'vitest';
import { lookEvery } from '../src/cadence.ts';

it('looks every so many steps, then after a tenth of the steps so far, at most ten times as rarely', () => {
  expect([0, 50, 100, 119, 120, 560, 1000, 1e6].map((steps) => lookEvery(steps, 10))).toEqual([
    10, 10, 10, 11, 12, 56, 100, 100,
  ]);
  expect([0, 39, 400].map((steps) => lookEvery(steps, 3))).toEqual([3, 3, 30]);
});
