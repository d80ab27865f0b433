import { describe, expect, it } from 'vitest';
import {
  babySteps,
  competence,
  fixedDiscrete,
  fixedLinear,
  fixedRoot,
  selfPaced,
  type Pacing,
} from '../src/index.ts';

const at = (pacing: Pacing, examples: readonly number[]) => examples.map((t) => pacing.at(t));

describe('competence', () => {
  // Squares: 0.0001 + t · 0.9999 / 1000 is 0.0001, 0.100090, 0.250075, 0.500050, 1.
  it('grows as a square root from 0.01, the equation of the paper', () => {
    const pacing = competence({ examples: 1000 });
    expect(pacing.limits).toBe('share');
    const expected = [0.01, 0.31637, 0.500075, 0.707142, 1, 1];
    at(pacing, [0, 100, 250, 500, 1000, 10_000]).forEach((share, k) =>
      expect(share).toBeCloseTo(expected[k] ?? NaN, 6),
    );
  });

  it('grows linearly: 0.01 + 0.99 t / T', () => {
    const shares = at(competence({ examples: 1000, root: 1 }), [0, 100, 250, 500, 999, 1000, 2000]);
    const expected = [0.01, 0.109, 0.2575, 0.505, 0.99901, 1, 1];
    shares.forEach((share, k) => expect(share).toBeCloseTo(expected[k] ?? NaN, 12));
  });

  it('takes another beginning and a cube root', () => {
    // c₀³ = 0.125; halfway 0.5625.
    const pacing = competence({ examples: 80, initial: 0.5, root: 3 });
    expect(pacing.at(0)).toBeCloseTo(0.5, 12);
    expect(pacing.at(40)).toBeCloseTo(Math.cbrt(0.5625), 12);
    expect(pacing.at(80)).toBe(1);
    expect(at(competence({ examples: 80, initial: 1 }), [0, 7])).toEqual([1, 1]);
  });

  it.each<[string, Parameters<typeof competence>[0]]>([
    ['examples is 0; give a finite number above 0.', { examples: 0 }],
    ['examples is NaN; give a finite number above 0.', { examples: NaN }],
    ['examples is Infinity; give a finite number above 0.', { examples: Infinity }],
    ['initial is 0; give a share above 0, up to 1.', { examples: 9, initial: 0 }],
    ['initial is 1.5; give a share above 0, up to 1.', { examples: 9, initial: 1.5 }],
    ['initial is NaN; give a share above 0, up to 1.', { examples: 9, initial: NaN }],
    ['root is -1; give a finite number above 0.', { examples: 9, root: -1 }],
  ])('refuses: %s', (message, options) => {
    expect(() => competence(options)).toThrow(new RangeError(message));
  });
});

describe('babySteps', () => {
  it('adds a part each time', () => {
    const pacing = babySteps({ buckets: 4, examplesPerBucket: 100 });
    expect(pacing.limits).toBe('share');
    expect(at(pacing, [0, 99, 100, 199, 200, 300, 5000])).toEqual([0.25, 0.25, 0.5, 0.5, 0.75, 1, 1]);
  });

  it.each([0, 2.5, NaN])('refuses %d buckets, and as many examples unless there are some', (count) => {
    expect(() => babySteps({ buckets: count, examplesPerBucket: 1 })).toThrow(
      new RangeError(`buckets is ${count}; give an integer from 1 to 9007199254740991.`),
    );
    expect(() => babySteps({ buckets: 2, examplesPerBucket: -count })).toThrow(
      new RangeError(`examplesPerBucket is ${-count}; give a finite number above 0.`),
    );
  });
});

describe('selfPaced', () => {
  it('raises the threshold by a factor', () => {
    const pacing = selfPaced({ threshold: 0.5, every: 10, growth: 2 });
    expect(pacing.limits).toBe('difficulty');
    expect(at(pacing, [0, 9, 10, 25, 100])).toEqual([0.5, 0.5, 1, 2, 512]);
    expect(selfPaced({ threshold: 1, every: 10 }).at(20)).toBeCloseTo(1.69, 12);
  });

  it.each<[string, Parameters<typeof selfPaced>[0]]>([
    ['threshold is 0; give a finite number above 0.', { threshold: 0, every: 1 }],
    ['every is NaN; give a finite number above 0.', { threshold: 1, every: NaN }],
    ['growth is 1; give a finite number above 1.', { threshold: 1, every: 1, growth: 1 }],
  ])('refuses: %s', (message, options) => {
    expect(() => selfPaced(options)).toThrow(new RangeError(message));
  });
});

describe('the fixed schedules of DeepSpeed', () => {
  const range8 = { minDifficulty: 8, maxDifficulty: 64, totalExamples: 1000, difficultyStep: 8 };

  it('fixedLinear: floor(t/T · 56 + 8), down to a multiple of 8', () => {
    // 8, 13.6, 22, 35.99…, 36, 63.9, 64.
    const pacing = fixedLinear(range8);
    expect(pacing.limits).toBe('difficulty');
    expect(at(pacing, [0, 100, 250, 499, 500, 999, 1000, 9999])).toEqual([8, 8, 16, 32, 32, 56, 64, 64]);
    expect(at(fixedLinear({ ...range8, difficultyStep: 1 }), [100, 250, 499, 999])).toEqual([13, 22, 35, 63]);
  });

  it('fixedRoot: the same with (t/T)^(1/2) or another root', () => {
    // Roots of 0.01, 0.25, 0.81: 13.6, 36, 58.4.
    expect(at(fixedRoot({ ...range8, rootDegree: 2 }), [0, 10, 250, 810, 1000])).toEqual([8, 8, 32, 56, 64]);
    // Cube root of 1/8: 36.
    expect(fixedRoot({ ...range8, rootDegree: 3, difficultyStep: 4 }).at(125)).toBe(36);
  });

  it('does not fall below the least difficulty where that is no multiple', () => {
    expect(at(fixedLinear({ ...range8, minDifficulty: 5, maxDifficulty: 61 }), [0, 100, 300, 1000])).toEqual([
      5, 8, 16, 61,
    ]);
  });

  it('takes steps that are no integers, and differences below 0', () => {
    const pacing = fixedLinear({
      minDifficulty: -1,
      maxDifficulty: 1,
      totalExamples: 100,
      difficultyStep: 0.5,
    });
    expect(at(pacing, [0, 24, 25, 60, 99, 100])).toEqual([-1, -1, -0.5, 0, 0.5, 1]);
  });

  it('fixedDiscrete: each difficulty for as many examples as are given', () => {
    const pacing = fixedDiscrete({ difficulty: [1, 2, 3], maxExamples: [5, 10] });
    expect(pacing.limits).toBe('difficulty');
    expect(at(pacing, [0, 4, 5, 9, 10, 1000])).toEqual([1, 1, 2, 2, 3, 3]);
    expect(fixedDiscrete({ difficulty: [7], maxExamples: [] }).at(3)).toBe(7);
  });

  it('take percentiles as shares', () => {
    const percentile = { difficultyType: 'percentile' } as const;
    const linear = fixedLinear({ ...percentile, minDifficulty: 10, maxDifficulty: 100, totalExamples: 90 });
    expect(linear.limits).toBe('share');
    expect(at(linear, [0, 45, 90])).toEqual([0.1, 0.55, 1]);
    const discrete = fixedDiscrete({ ...percentile, difficulty: [25, 100], maxExamples: [8] });
    expect([discrete.limits, ...at(discrete, [7, 8])]).toEqual(['share', 0.25, 1]);
  });

  it.each<[string, () => unknown]>([
    [
      'minDifficulty is NaN; give a finite number above -Infinity.',
      () => fixedLinear({ ...range8, minDifficulty: NaN }),
    ],
    ['maxDifficulty is 8; give a finite number above 8.', () => fixedLinear({ ...range8, maxDifficulty: 8 })],
    ['totalExamples is 0; give a finite number above 0.', () => fixedLinear({ ...range8, totalExamples: 0 })],
    [
      'difficultyStep is 0; give a finite number above 0.',
      () => fixedLinear({ ...range8, difficultyStep: 0 }),
    ],
    ['rootDegree is 0; give a finite number above 0.', () => fixedRoot({ ...range8, rootDegree: 0 })],
    [
      'fixedDiscrete got 0 difficulties and 0 maxExamples; give one difficulty more.',
      () => fixedDiscrete({ difficulty: [], maxExamples: [] }),
    ],
    [
      'fixedDiscrete got 2 difficulties and 2 maxExamples; give one difficulty more.',
      () => fixedDiscrete({ difficulty: [1, 2], maxExamples: [1, 2] }),
    ],
    [
      'difficulty[1] is 1; give a finite number above 1.',
      () => fixedDiscrete({ difficulty: [1, 1], maxExamples: [1] }),
    ],
    [
      'maxExamples[0] is 0; give a finite number above 0.',
      () => fixedDiscrete({ difficulty: [1, 2], maxExamples: [0] }),
    ],
    [
      'maxExamples[1] is 3; give a finite number above 4.',
      () => fixedDiscrete({ difficulty: [1, 2, 3], maxExamples: [4, 3] }),
    ],
  ])('refuse: %s', (message, make) => {
    expect(make).toThrow(new RangeError(message));
  });
});
