import { expect, it } from 'vitest';
import { xoshiro128StarStar } from '../src/xoshiro-128.ts';

it('gives the reference outputs of xoshiro128** 1.1 from the state 1, 2, 3, 4', () => {
  const next = xoshiro128StarStar([1, 2, 3, 4]);
  // The vector that Rust's rand_xoshiro carries, made with the authors' C program.
  expect(Array.from({ length: 10 }, next)).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});
