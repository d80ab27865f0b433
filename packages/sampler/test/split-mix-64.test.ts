import { describe, expect, it } from 'vitest';
import { mix64, splitMix64 } from '../src/split-mix-64.ts';

describe('splitMix64', () => {
  it('gives the widely published outputs of seed 1234567', () => {
    const next = splitMix64(1234567n);
    expect([next(), next(), next(), next(), next()]).toEqual([
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
      4593380528125082431n,
      16408922859458223821n,
    ]);
  });

  it('wraps its state at 64 bits', () => {
    const next = splitMix64(2n ** 64n - 1n);
    expect([next(), next()]).toEqual([0xe4d971771b652c20n, 0xe99ff867dbf682c9n]);
  });
});

describe('mix64', () => {
  it('keeps 0, and maps the increment of SplitMix64 to its first output of seed 0', () => {
    expect(mix64(0n)).toBe(0n);
    expect(mix64(0x9e3779b97f4a7c15n)).toBe(0xe220a8397b1dcdafn);
  });
});
