import { describe, expect, it } from 'vitest';
import { explorationOptions } from '../src/exploration.ts';
import type { StepTimes } from '../src/step-time.ts';
import {
  afterMove,
  isResting,
  startTiming,
  timeStep,
  timeSteps,
  tryBeforeMove,
  type Timing,
} from '../src/timing.ts';
import { applied, plan, run } from './step.ts';

const options = explorationOptions({ driftRatio: 1.15, timedSteps: 3 });

const rung = (batchSize: number, ...seconds: number[]) => ({
  batchSize,
  parts: 1,
  firstSeconds: null,
  seconds,
});

/** After an exploration of 32, 128 and 512, on the way with 128. */
const underway = (more: Partial<Timing> = {}): Timing => ({
  times: [rung(32, 3, 3, 3), rung(128, 4, 4, 4), rung(512, 8, 8, 8)],
  recalled: null,
  exploration: null,
  triedExamples: 2560,
  plannedExamples: 1e6,
  steps: 0,
  waitSteps: 50,
  rest: null,
  again: null,
  lookAt: 10,
  movedAt: 0,
  usual: null,
  ...more,
});

/** The exploration at the start, before the last step of the second size. */
const atLast = (sizes: readonly number[]) => {
  return { home: 32, isFree: true, sizes, index: 1, steps: 3, warmUp: null, before: null };
};

/** `count` ordinary steps of 128, the i-th of which takes `seconds(i)`; stops where sizes are tried again. */
function steady(from: Timing, seconds: (i: number) => number, { count = 300, with: used = options } = {}) {
  let [timing, i] = [from, 0];
  for (; i < count && !timing.exploration; i += 1)
    timing = timeStep(timing, {
      step: applied(plan(128), { seconds: seconds(i), totalExamples: 128 * (i + 1) }),
      options: used,
    });
  return { timing, steps: i };
}

describe('startTiming', () => {
  it('plans an exploration within a 20th of the run', () => {
    const range = { start: 32, min: 8, max: 3750 };
    const timing = startTiming(range, run({ plannedExamples: 60_000 }), options);
    expect(timing).toEqual({
      times: [],
      recalled: null,
      exploration: {
        home: 32,
        isFree: true,
        sizes: [32, 128, 512],
        index: 0,
        steps: 0,
        warmUp: { round: 1, fastest: null, fastestBefore: null, untilExamples: 3000 },
        before: null,
      },
      triedExamples: 0,
      plannedExamples: 60_000,
      steps: 0,
      waitSteps: 50,
      rest: null,
      again: null,
      lookAt: 10,
      movedAt: 0,
      usual: null,
    });
    expect(startTiming(range, run(), options).plannedExamples).toBe(60_000);
    const stream = startTiming(range, run({ datasetSize: undefined }), options);
    expect(stream.plannedExamples).toBeNull();
    expect(stream.exploration?.sizes).toEqual([32, 128, 512, 2048]);
  });
});

describe('timeStep', () => {
  it('follows the exploration to its end', () => {
    const exploration = atLast([32, 128]);
    const before = { steps: 9, usual: { batchSize: 128, seconds: 1 } };
    const timing = timeStep(underway({ exploration, ...before }), {
      step: applied(plan(128), { seconds: 4 }),
      options,
    });
    expect(timing).toEqual(
      underway({
        times: [rung(32, 3, 3, 3), rung(128, 4, 4, 4, 4), rung(512, 8, 8, 8)],
        triedExamples: 2560 + 4 * 128,
      }),
    );
  });

  it('keeps the times of the size held up to date, and the others, while nothing drifts', () => {
    const { timing } = steady(underway(), (i) => 4 + 0.4 * Math.sin(i));
    expect(timing.exploration).toBeNull();
    expect(timing.times[0]).toEqual(rung(32, 3, 3, 3));
    expect(timing.times[1]?.seconds.length).toBe(20);
    expect(timing.usual).toEqual({ batchSize: 128, seconds: expect.closeTo(4, 0) });
  });

  it.each([
    ['faster', 0.8],
    ['slower', 1.25],
  ])('tries the neighbours again where steps have become %s', (_name, factor) => {
    const { timing, steps } = steady(underway(), (i) => (i < 30 ? 4 : 4 * factor));
    // Seen with the look at step 50, when all 20 steps that count are new ones, and after the wait of 50 steps.
    expect(steps).toBe(50);
    expect(timing.exploration).toEqual({
      home: 128,
      isFree: false,
      sizes: [32, 512, 128],
      index: 0,
      steps: 0,
      warmUp: null,
      before: [rung(32), rung(128, ...Array<number>(20).fill(4 * factor)), rung(512)],
    });
    expect(timing.times.map(({ seconds }) => seconds.length)).toEqual([0, 0, 0]);
    expect(timing.waitSteps).toBe(100);
    // It counts once it is over.
    expect(timing.triedExamples).toBe(2560);
  });

  it('waits, and does not look again for a change of less than the ratio', () => {
    expect(steady(underway({ waitSteps: 100 }), (i) => (i < 30 ? 4 : 5)).steps).toBe(100);
    expect(steady(underway(), (i) => (i < 30 ? 4 : 4.5)).timing.exploration).toBeNull();
    const keen = { ...options, driftRatio: 1.1 };
    expect(steady(underway(), (i) => (i < 30 ? 4 : 4.5), { with: keen }).timing.exploration).not.toBeNull();
  });

  it.each([
    ['slow', 8],
    ['fast', 2],
  ])(
    'does not take noise for a drift: three %s steps in five are most of them, not three quarters',
    (_name, other) => {
      const { timing } = steady(underway(), (i) => (i > 30 && i % 5 < 3 ? other : 4));
      expect(timing.times[1]?.seconds.filter((seconds) => seconds === other).length).toBe(12);
      expect(timing.exploration).toBeNull();
    },
  );

  it('spends no more on it than its share of the run', () => {
    const drift = (i: number) => (i < 30 ? 4 : 5);
    const cost = 2560 + 4 * (32 + 512);
    const short = { plannedExamples: (cost - 1) / 0.05 };
    expect(steady(underway(short), drift).timing.exploration).toBeNull();
    expect(steady(underway({ plannedExamples: cost / 0.05 }), drift).timing.exploration).not.toBeNull();
    // A run that outlives what was planned may go on: 5 % of 737 steps of 128 pays for it.
    expect(steady(underway(short), drift, { count: 1000 }).steps).toBe(792);
  });

  it('has nothing to try where no other size ran', () => {
    const alone: StepTimes = [rung(128, 4, 4, 4)];
    expect(steady(underway({ times: alone }), (i) => (i < 30 ? 4 : 5)).timing.exploration).toBeNull();
  });

  it('starts to compare anew with each size, by the median even of few steps', () => {
    const times = [rung(32, 3, 3, 3), rung(128, 2, 2, 4, 4, 4)];
    const before = underway({ times, usual: { batchSize: 64, seconds: 1 } });
    const { timing } = steady(before, () => 4, { count: 60 });
    expect(timing).toMatchObject({ exploration: null, usual: { batchSize: 128, seconds: 4 } });
  });
});

describe('a start where the next size looks no better', () => {
  /** The last step of 128 in an exploration at the start, which began with 32. */
  const started = (seconds: number, more: Partial<Timing> = {}) =>
    timeStep(
      underway({
        times: [rung(32, 3, 3, 3), rung(128, seconds, seconds)],
        exploration: atLast([32, 128, 512]),
        triedExamples: 0,
        ...more,
      }),
      { step: applied(plan(128), { seconds }), options, best: () => 1 },
    );
  const at = (size: number, from: Timing, count: number) => {
    let timing = from;
    for (let i = 0; i < count; i += 1)
      timing = timeStep(timing, { step: applied(plan(size), { seconds: 3 }), options });
    return timing;
  };

  // Seconds per example must fall to 0.81: 4 · 3 · 0.81 = 9.72.
  it('is tried again after twenty steps, once, and counts what ran', () => {
    const ended = started(10);
    expect(ended).toMatchObject({ exploration: null, again: [128, 512], triedExamples: 4 * 128, lookAt: 10 });
    expect(at(32, ended, 19).exploration).toBeNull();
    let again = at(32, ended, 20);
    expect(again).toMatchObject({ again: null, triedExamples: 4 * 128 });
    expect(again.exploration).toMatchObject({
      home: 32,
      isFree: true,
      sizes: [32, 128, 512],
      index: 0,
      warmUp: null,
    });
    expect(again.times.map(({ seconds }) => seconds.length)).toEqual([0, 0]);
    again = at(32, again, 3);
    for (let i = 0; i < 4; i += 1)
      again = timeStep(again, { step: applied(plan(128), { seconds: 10 }), options });
    expect(again).toMatchObject({ exploration: null, again: null, triedExamples: 8 * 128 });
  });

  it('is not where it looks better', () => expect(started(9.7).again).toBeNull());

  it('is from the size held, within the share of the run', () => {
    expect(at(64, started(10), 20).exploration?.sizes).toEqual([64, 128, 512]);
    expect(at(128, started(10), 20).exploration?.sizes).toEqual([128, 512]);
    expect(at(512, started(10), 20)).toMatchObject({ exploration: null, again: null });
    const plannedExamples = (512 + 512) / 0.05;
    expect(at(32, started(10, { plannedExamples }), 20).exploration?.sizes).toEqual([32, 128]);
    const short = started(10, { plannedExamples: plannedExamples - 20 });
    expect(at(32, short, 20)).toMatchObject({ exploration: null, again: null });
  });
});

describe('tryBeforeMove', () => {
  const move = { held: 128, target: 256, isFree: false, totalExamples: 0 };

  it('tries the size and the one held, and rests twice as long at that one, a thousand steps at most', () => {
    const trial = tryBeforeMove(underway({ steps: 20 }), move, options);
    expect(trial).toMatchObject({ rest: { held: 128, steps: 40 } });
    expect(trial?.exploration).toMatchObject({
      home: 128,
      isFree: false,
      sizes: [256, 128],
      before: [rung(128, 4, 4, 4)],
    });
    const rested = (held: number) =>
      tryBeforeMove(underway({ rest: { held, steps: 640 } }), move, options)?.rest?.steps;
    expect([128, 64].map(rested)).toEqual([1000, 40]);
    const restsAfter = (held: number, steps: number) =>
      isResting(underway({ steps, rest: { held, steps: 40 } }), 128);
    expect([restsAfter(128, 39), restsAfter(128, 40)]).toEqual([true, false]);
    expect([restsAfter(64, 19), restsAfter(64, 20)]).toEqual([true, false]);
  });

  it('has nothing left beyond the share of the run', () => {
    const cost = 2560 + 4 * 256;
    expect(tryBeforeMove(underway({ plannedExamples: cost / 0.05 }), move, options)).toBeDefined();
    expect(tryBeforeMove(underway({ plannedExamples: (cost - 1) / 0.05 }), move, options)).toBeUndefined();
    const none = { ...options, shareOfRun: 0 };
    expect(tryBeforeMove(underway({ plannedExamples: null }), move, none)).toBeUndefined();
  });
});

describe('timeSteps', () => {
  it.each([
    ['a size that was timed before', 128],
    ['a size that is new', 64],
  ])('leaves what one step after the other does, at %s', (_what, size) => {
    const seen = [5, 6, 7, 8, 9].map((seconds) => applied(plan(size), { seconds }));
    const one = seen.reduce((timing, step) => timeStep(timing, { step, options }), underway({ steps: 3 }));
    expect(timeSteps(underway({ steps: 3 }), seen, options)).toEqual(one);
    expect(one).toMatchObject({ steps: 8, lookAt: 10 });
  });

  it('leaves the same where nothing was timed yet, and the first of them has no time', () => {
    const seen = [0, 6, 8].map((seconds) => applied(plan(64), { seconds }));
    const blank = underway({ times: [] });
    const one = seen.reduce((timing, step) => timeStep(timing, { step, options }), blank);
    expect(timeSteps(blank, seen, options)).toEqual(one);
    expect(one.usual).toEqual({ batchSize: 64, seconds: 6 });
    expect(timeSteps(blank, seen.slice(0, 2), options).usual).toBeNull();
  });

  it('lets steps without a time say nothing', () => {
    const seen = [applied(plan(128)), applied(plan(128), { seconds: 6 })];
    const { times, steps } = timeSteps(underway(), seen, options);
    expect(times.find(({ batchSize }) => batchSize === 128)).toEqual(rung(128, 4, 4, 4, 6));
    expect(steps).toBe(2);
  });
});

describe('afterMove', () => {
  it('looks ten steps later, and then as rarely as after an exploration', () => {
    let timing = afterMove(underway({ steps: 700, lookAt: 792 }), options);
    const looks: number[] = [];
    for (let i = 0; i < 160; i += 1) {
      const before = timing.lookAt;
      timing = timeStep(timing, { step: applied(plan(128), { seconds: 4 }), options });
      if (timing.lookAt !== before) looks.push(timing.steps);
    }
    expect(looks).toEqual([710, 720, 730, 740, 750, 760, 770, 780, 790, 800, 810, 821, 833, 846, 860]);
  });
});
