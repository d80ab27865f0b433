import { describe, expect, it } from 'vitest';
import {
  explorationOptions,
  explore,
  exploredSize,
  firstExploration,
  beginsAtHome,
  isCutShort,
  laterExploration,
  sizesToTry,
  triedExamples,
  triedSizes,
  type BestSoFar,
  type Exploration,
  type Explored,
} from '../src/exploration.ts';
import { applied, plan } from './step.ts';

/** With three steps a size, so that runs are short. */
const options = explorationOptions({ timedSteps: 3 });
const range = { start: 32, min: 8, max: 3750 };

/** Runs an exploration on a machine where the i-th step, of B examples, takes T(B, i); answers the sizes that ran. */
function tryOn(
  T: (batchSize: number, i: number) => number,
  sizes: readonly number[],
  untilExamples = 1e9,
  best?: BestSoFar,
) {
  const ran: number[] = [];
  let totalExamples = 0;
  let now: Explored = {
    exploration: firstExploration(sizes, { home: 32, untilExamples }, options),
    times: [],
  };
  while (now.exploration) {
    const size = exploredSize(now.exploration);
    totalExamples += size;
    const step = applied(plan(size), {
      seconds: T(size, ran.length),
      warm: ran.at(-1) === size,
      totalExamples,
    });
    ran.push(size);
    now = explore(now.exploration, now.times, { step, options, best });
  }
  return { ran, end: now };
}

/** How many steps of 32 ran before the three that were timed. */
const warmUpSteps = (...args: Parameters<typeof tryOn>) =>
  tryOn(...args).ran.filter((size) => size === 32).length - 3;

const steps = (size: number, count: number) => Array.from({ length: count }, () => size);

/** On the way, at the size of `index`. */
const underway = (more: Partial<Exploration>): Exploration => ({
  home: 32,
  isFree: true,
  sizes: [32, 128],
  index: 1,
  steps: 0,
  warmUp: null,
  before: null,
  ...more,
});

const rung = (batchSize: number, ...seconds: number[]) => ({
  batchSize,
  parts: 1,
  firstSeconds: null,
  seconds,
});

describe('sizesToTry', () => {
  it('goes up in steps of four to the largest size', () => {
    expect(sizesToTry(range, Infinity, options)).toEqual([32, 128, 512, 2048]);
    expect(sizesToTry({ ...range, start: 100 }, Infinity, options)).toEqual([100, 512, 2048]);
  });

  it('takes the largest size where the next one would be too large', () => {
    expect(sizesToTry({ ...range, max: 64 }, Infinity, options)).toEqual([32, 64]);
    expect(sizesToTry({ ...range, max: 256 }, Infinity, options)).toEqual([32, 128]);
    expect(sizesToTry({ ...range, max: 32 }, Infinity, options)).toEqual([32]);
  });

  it('stays within its budget of examples: four steps of each size above the first', () => {
    expect(triedExamples([128, 512], options)).toBe(2560);
    expect(sizesToTry(range, 2560, options)).toEqual([32, 128, 512]);
    expect(sizesToTry(range, 2559, options)).toEqual([32, 128]);
    expect(sizesToTry(range, 511, options)).toEqual([32]);
  });
});

describe('explore', () => {
  it('tries no size of more than twice the best so far', () => {
    const all = [32, 128, 512, 2048];
    const largest = (best: number) =>
      tryOn(
        () => 1,
        all,
        1e9,
        () => best,
      ).ran.at(-1);
    expect([1024, 1023, 256, 255, 63].map(largest)).toEqual([2048, 512, 512, 128, 32]);
    // What is best is asked with the times of the sizes that ran.
    const asked: number[][] = [];
    tryOn(
      () => 1,
      all,
      1e9,
      (times) => (asked.push(times.map(({ batchSize }) => batchSize)), Infinity),
    );
    expect(asked).toEqual([[32], [32, 128], [32, 128, 512]]);
  });

  it('warms up for two rounds, times three, then takes one cold and three timed steps of each size', () => {
    const { ran, end } = tryOn((B) => 1 + B / 1e4, [32, 128, 512]);
    expect(ran).toEqual([...steps(32, 23), ...steps(128, 4), ...steps(512, 4)]);
    expect(end.times.map(({ batchSize, seconds }) => [batchSize, seconds.length])).toEqual([
      [32, 3],
      [128, 3],
      [512, 3],
    ]);
    expect(end.times[1]).toEqual({
      batchSize: 128,
      parts: 1,
      firstSeconds: 1.0128,
      seconds: [1.0128, 1.0128, 1.0128],
    });
  });

  it('warms up as long as rounds of ten steps get a tenth faster, ten at most', () => {
    // 1 + 4 e^(−i/20): the fastest of each round is its last, 1 + 4 e^(−(10 k − 1)/20) in round k:
    // 3.55, 2.55, 1.94, 1.57, 1.35, 1.21, 1.13, and 1.13 is the first above 0.9 of the one before.
    expect(warmUpSteps((_B, i) => 1 + 4 * Math.exp(-i / 20), [32])).toBe(70);
    expect(warmUpSteps((_B, i) => 0.85 ** (i / 10), [32])).toBe(100);
    expect(warmUpSteps((_B, i) => 0.92 ** Math.floor(i / 10), [32])).toBe(20);
    expect(warmUpSteps((_B, i) => 1.1 ** i, [32])).toBe(20);
    // A pause at the end of each round hides nothing.
    expect(warmUpSteps((_B, i) => (i % 10 === 9 ? 5 : 0.85 ** Math.floor(i / 10)), [32])).toBe(100);
  });

  it('begins no round of warm-up beyond its share of the run, nor where steps are not timed', () => {
    const drift = (_B: number, i: number) => 0.85 ** (i / 10);
    expect(warmUpSteps(drift, [32], 640)).toBe(20);
    expect(warmUpSteps(drift, [32], 641)).toBe(30);
    expect(warmUpSteps(drift, [32], 1)).toBe(10);
    expect(warmUpSteps(() => NaN, [32])).toBe(10);
  });

  it('can do without a warm-up', () => {
    const cold = explorationOptions({ warmUpSteps: 0 });
    expect(firstExploration([32], { home: 32, untilExamples: null }, cold).warmUp).toBeNull();
  });

  // From 32 to 128 are two doublings: seconds per example must fall to 0.9² = 0.81 of what they were.
  it.each([
    [0.8, [32, 128, 512]],
    [0.82, [32, 128]],
  ])('goes on while seconds per example fall: to %s of what they were it ran %j', (share, sizes) => {
    const T = (B: number) => (B === 32 ? 32 : B * share);
    expect([...new Set(tryOn(T, [32, 128, 512]).ran)]).toEqual(sizes);
  });

  it('times the size held anew beside the others later on, and keeps the faster of what it took and takes', () => {
    const earlier = [rung(64, 2, 2, 2), rung(128, 9, 9, 9)];
    const tried = (home: number): Explored => {
      let now: Explored = laterExploration(earlier, { home: 128, isFree: false, sizes: [64, 128] });
      expect(now.times).toEqual([rung(64), rung(128)]);
      const ran = [128];
      while (now.exploration) {
        const size = exploredSize(now.exploration);
        const warm = size === ran.at(-1);
        ran.push(size);
        const step = applied(plan(size), { seconds: (size === 64 ? 3 : home) + (warm ? 0 : 5), warm });
        now = explore(now.exploration, now.times, { step, options });
      }
      // The first step of each is cold.
      expect(ran.slice(1)).toEqual([...steps(64, 4), ...steps(128, 4)]);
      return now;
    };
    // It took 9 in a pause that is over; where it takes 10 now, that may be one.
    expect(tried(4).times).toEqual([rung(64, 3, 3, 3), rung(128, 4, 4, 4)]);
    expect(tried(10).times).toEqual([rung(64, 3, 3, 3), rung(128, 9, 9, 9, 10, 10, 10)]);
  });

  it('at the start keeps the faster for all sizes, whose times are a few steps old', () => {
    const before = [rung(32, 3, 3, 3), rung(128, 8, 12, 12)];
    const ends = (isFree: boolean, now = rung(128, 10, 10, 10)) => {
      const times = [rung(32, 2, 2), now];
      const last = underway({ isFree, sizes: [128, 32], steps: 3, before });
      return explore(last, times, { step: applied(plan(32), { seconds: 2 }), options }).times;
    };
    expect(ends(true)).toEqual([rung(32, 2, 2, 2), rung(128, 8, 12, 12)]);
    // Later on the size that is tried may have been timed long ago.
    expect(ends(false)).toEqual([rung(32, 2, 2, 2), rung(128, 10, 10, 10)]);
    // It is all that is known where no step of it was timed.
    expect(ends(false, rung(128))).toEqual([rung(32, 2, 2, 2), rung(128, 8, 12, 12)]);
  });

  it('mixes no times of batches that ran in other parts', () => {
    const earlier = [{ batchSize: 128, parts: 2, firstSeconds: null, seconds: [4, 4, 4] }];
    const { exploration, times } = laterExploration(earlier, { home: 128, isFree: false, sizes: [128] });
    let now: Explored = { exploration, times };
    while (now.exploration)
      now = explore(now.exploration, now.times, { step: applied(plan(128), { seconds: 5 }), options });
    expect(now.times).toEqual([{ batchSize: 128, parts: 1, firstSeconds: null, seconds: [5, 5, 5] }]);
  });

  it('leaves a later exploration with what was known where something else decides the size', () => {
    const earlier = [rung(64, 5, 6), rung(128, 7, 8)];
    const { exploration, times } = laterExploration(earlier, { home: 128, isFree: false, sizes: [64, 128] });
    const step = applied(plan(32), { seconds: 1 });
    expect(isCutShort(exploration, step)).toBe(true);
    expect(isCutShort(exploration, applied(plan(64)))).toBe(false);
    expect(triedSizes(exploration, step)).toEqual([]);
    expect(explore(exploration, times, { step, options })).toEqual({
      exploration: null,
      times: [rung(32, 1), ...earlier],
    });
  });

  it('ends where something else decides the size', () => {
    const step = applied(plan(100), { seconds: 1 });
    expect(explore(underway({}), [], { step, options })).toEqual({
      exploration: null,
      times: [rung(100, 1)],
    });
  });

  it('goes on without times where steps are not timed', () => {
    const sizes = [64, 128];
    const exploration = underway({ sizes, index: 0, steps: 3 });
    expect(explore(exploration, [], { step: applied(plan(64)), options })).toEqual({
      exploration: underway({ sizes }),
      times: [],
    });
  });

  it('knows the exploration at the start by its first size', () => {
    expect(beginsAtHome(underway({}))).toBe(true);
    expect(beginsAtHome(underway({ sizes: [16, 128] }))).toBe(false);
  });
});

it.each([
  [{ warmUpSteps: -1 }, 'exploration.warmUpSteps is -1'],
  [{ coldSteps: 0.5 }, 'exploration.coldSteps is 0.5'],
  [{ timedSteps: 0 }, 'exploration.timedSteps is 0'],
  [{ growth: 1 }, 'exploration.growth is 1'],
  [{ leastImprovement: 1 }, 'exploration.leastImprovement is 1'],
  [{ shareOfRun: -0.1 }, 'exploration.shareOfRun is -0.1'],
  [{ driftRatio: 1 }, 'exploration.driftRatio is 1'],
  [{ retimeAfterSteps: 0 }, 'exploration.retimeAfterSteps is 0'],
])('refuses %j', (given, message) => {
  expect(() => explorationOptions(given)).toThrow(message);
});
