import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { derivedSeed, seededRandom } from '../src/index.ts';

/** The first six outputs of `Xoshiro128StarStar::seed_from_u64(seed)` of rand_xoshiro 0.7, compiled and run. */
const FROM_RAND_XOSHIRO: readonly (readonly [seed: number, outputs: readonly number[]])[] = [
  [0, [3737715805, 2584255861, 2876756834, 3286328325, 1553311962, 1625202774]],
  [1, [1695105466, 1423115009, 634581793, 1068227753, 716759206, 4186505319]],
  [42, [1776835114, 4165204688, 17111135, 2317295270, 2792088233, 2554630222]],
  [1234567, [1967786208, 270031234, 1115494691, 824886977, 1639868524, 2161081248]],
  [Number.MAX_SAFE_INTEGER, [1233166643, 1287031142, 661813442, 2960669951, 2601079046, 1036114921]],
];

const draw = <Value>(count: number, next: () => Value): Value[] => Array.from({ length: count }, next);

describe('seededRandom', () => {
  it.each(FROM_RAND_XOSHIRO)('gives for seed %d what rand_xoshiro gives', (seed, outputs) => {
    expect(draw(6, seededRandom(seed).uint32)).toEqual(outputs);
  });

  it.each([
    [1, [3158665400, 174778446, 2718548691, 2392338158]],
    [2, [3718226812, 3624713169, 1296982505, 2539832208]],
    [Number.MAX_SAFE_INTEGER, [2309530866, 1337005916, 2426989421, 3860353570]],
  ])('gives for seed 7 and stream %d what a C program with 64-bit integers gives', (stream, outputs) => {
    expect(draw(4, seededRandom(7, stream).uint32)).toEqual(outputs);
  });

  it('opens the same stream again and again, and a different one for each seed and stream', () => {
    expect(draw(50, seededRandom(5, 3).uint32)).toEqual(draw(50, seededRandom(5, 3).uint32));
    const firsts = [0, 1, 2, 3].flatMap((seed) =>
      [0, 1, 2, 3].map((stream) => seededRandom(seed, stream).uint32()),
    );
    expect(new Set(firsts).size).toBe(16);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('refuses %d as a seed and as a stream', (value) => {
    expect(() => seededRandom(value)).toThrow(
      new RangeError(`seed is ${value}; give an integer from 0 to 9007199254740991.`),
    );
    expect(() => seededRandom(0, value)).toThrow(
      new RangeError(`stream is ${value}; give an integer from 0 to 9007199254740991.`),
    );
  });
});

describe('below', () => {
  it('takes the upper bits of the next output that is small enough', () => {
    // Seed 42: 1776835114, 4165204688, 17111135, 2317295270; below 3 looks at the upper two bits: 1, 3, 0, 2.
    const random = seededRandom(42);
    expect(draw(3, () => random.below(3))).toEqual([1, 0, 2]);
  });

  it('passes 32-bit outputs through at the bound 2^32 and draws nothing at the bound 1', () => {
    const random = seededRandom(42);
    expect(random.below(1)).toBe(0);
    expect(random.below(2 ** 32)).toBe(1776835114);
  });

  it.each([2, 3, 5, 6, 7, 10, 100])('is uniform below %d', (bound) => {
    const random = seededRandom(1000 + bound);
    const counts = Array.from({ length: bound }, () => 0);
    for (const value of draw(100_000, () => random.below(bound))) counts[value] = (counts[value] ?? 0) + 1;
    expect(counts).toHaveLength(bound);
    expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(bound - 1));
  });

  it('has no bias at 3 · 2^30, where a remainder would give the lower third half of the draws', () => {
    const random = seededRandom(9);
    const counts = [0, 0, 0];
    for (const value of draw(30_000, () => random.below(3 * 2 ** 30))) {
      const third = Math.floor(value / 2 ** 30);
      counts[third] = (counts[third] ?? 0) + 1;
    }
    expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(2));
  });

  it.each([0, -3, 1.5, NaN, 2 ** 32 + 1])('refuses the bound %d', (bound) => {
    expect(() => seededRandom(0).below(bound)).toThrow(
      new RangeError(`bound is ${bound}; give an integer from 1 to 4294967296.`),
    );
  });
});

describe('uniform', () => {
  it('joins 27 and 26 bits of two outputs into 53', () => {
    const expected = (BigInt(1776835114 >>> 5) << 26n) | BigInt(4165204688 >>> 6);
    expect(seededRandom(42).uniform()).toBe(Number(expected) / 2 ** 53);
  });

  it('has mean 1/2 and variance 1/12 and stays within [0, 1)', () => {
    const random = seededRandom(3);
    const values = draw(100_000, random.uniform);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    // Five standard errors: sqrt(1/12/n) and sqrt(1/180/n).
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / values.length));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / values.length));
  });
});

describe('streams', () => {
  it('are all different, part by part, and begin with the published one', () => {
    const first = (stream?: number, substream?: number) => seededRandom(7, stream, substream).uint32();
    const all = [
      first(),
      first(1),
      first(2),
      first(0, 1),
      first(0, 2),
      first(1, 1),
      first(1, 2),
      first(2, 1),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(first(0, 0)).toBe(first());
    expect(first(3, 0)).toBe(first(3));
    expect(() => first(1, -1)).toThrow(
      new RangeError('substream is -1; give an integer from 0 to 9007199254740991.'),
    );
  });

  it('give seeds for parts that are integers up to 2^53 − 1 and use all of that range', () => {
    const seeds = Array.from({ length: 2000 }, (_, part) => derivedSeed(7, part));
    expect(new Set(seeds).size).toBe(2000);
    expect(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
    const sixteenths = Array.from({ length: 16 }, () => 0);
    for (const seed of seeds) {
      const cell = Math.floor(seed / 2 ** 49);
      sixteenths[cell] = (sixteenths[cell] ?? 0) + 1;
    }
    expect(chiSquare(sixteenths)).toBeLessThan(chiSquareLimit(15));
    expect(derivedSeed(8, 3)).not.toBe(derivedSeed(7, 3));
  });
});
