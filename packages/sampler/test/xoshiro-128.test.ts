import { expect, it } from 'vitest';
import { xoshiro128StarStar } from '../src/xoshiro-128.ts';

it('gives the reference outputs of xoshiro128** 1.1 from the state 1, 2, 3, 4', () => {
  const { uint32 } = xoshiro128StarStar([1, 2, 3, 4]);
  // The vector that Rust's rand_xoshiro carries, made with the authors' C program.
  expect(Array.from({ length: 10 }, uint32)).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});

it('fills an array with what it would give one by one, and goes on from there', () => {
  const [one, other] = [xoshiro128StarStar([1, 2, 3, 4]), xoshiro128StarStar([1, 2, 3, 4])];
  const words = new Uint32Array(7);
  other.uint32();
  other.fill(words);
  const expected = Array.from({ length: 9 }, one.uint32);
  expect([...words, other.uint32()]).toEqual(expected.slice(1));
});

it('joins 27 and 26 bits of two outputs into a uniform number, and goes on from there', () => {
  const [one, other] = [xoshiro128StarStar([1, 2, 3, 4]), xoshiro128StarStar([1, 2, 3, 4])];
  const uniforms = new Float64Array(500);
  other.uint32();
  other.fillUniforms(uniforms);
  const [, ...words] = Array.from({ length: 1002 }, one.uint32);
  const joined = Array.from(uniforms, (_, k) => {
    const bits = (BigInt((words[2 * k] ?? 0) >>> 5) << 26n) | BigInt((words[2 * k + 1] ?? 0) >>> 6);
    return Number(bits) / 2 ** 53;
  });
  expect([...uniforms]).toEqual(joined);
  expect(other.uint32()).toBe(words[1000]);
});
