import { describe, expect, it } from 'vitest';
import { explorationOptions } from '../src/exploration.ts';
import type { StepTimes } from '../src/step-time.ts';
import { afterMove, startTiming, timeStep, timeSteps, tryBeforeMove, type Timing } from '../src/timing.ts';
import { applied, plan, run } from './step.ts';

const options = explorationOptions({ driftRatio: 1.15 });

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
  restSteps: 20,
  again: null,
  lookAt: 10,
  movedAt: 0,
  usual: null,
  ...more,
});

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
        sizes: [32, 128, 512],
        index: 0,
        steps: 0,
        warmUp: { round: 1, fastest: null, fastestBefore: null, untilExamples: 3000 },
        before: null,
      },
      triedExamples: 2560,
      plannedExamples: 60_000,
      steps: 0,
      waitSteps: 50,
      restSteps: 20,
      again: null,
      lookAt: 20,
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
    const exploration = { home: 32, sizes: [32, 128], index: 1, steps: 3, warmUp: null, before: null };
    const before = { steps: 9, usual: { batchSize: 128, seconds: 1 } };
    const timing = timeStep(underway({ exploration, ...before }), {
      step: applied(plan(128), { seconds: 4 }),
      options,
    });
    expect(timing).toEqual(
      underway({
        times: [rung(32, 3, 3, 3), rung(128, 4, 4, 4, 4), rung(512, 8, 8, 8)],
        // Of the sizes that ran, 128 alone was tried.
        triedExamples: 512,
        lookAt: 20,
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
      sizes: [32, 512, 128],
      index: 0,
      steps: 0,
      warmUp: null,
      before: Array(20).fill(4 * factor),
    });
    expect(timing.times.map(({ seconds }) => seconds.length)).toEqual([0, 0, 0]);
    expect(timing.waitSteps).toBe(100);
    expect(timing.triedExamples).toBe(2560 + 4 * (32 + 512));
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
    'does not take noise for a drift: three %s steps in five move the median, not three quarters',
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

  it('starts to compare anew with each size', () => {
    const before = underway({ usual: { batchSize: 64, seconds: 1 } });
    expect(steady(before, () => 4, { count: 60 }).timing.usual).toEqual({ batchSize: 128, seconds: 4 });
    expect(steady(before, () => 4, { count: 60 }).timing.exploration).toBeNull();
  });
});

describe('a start where the next size looks no better', () => {
  /** The last step of 128 in an exploration at the start, which began with 32. */
  const started = (seconds: number, more: Partial<Timing> = {}) =>
    timeStep(
      underway({
        times: [rung(32, 3, 3, 3), rung(128, seconds, seconds)],
        exploration: {
          home: 32,
          sizes: [32, 128, 512],
          index: 1,
          steps: 3,
          warmUp: null,
          before: null,
        },
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
  it('is tried again after twenty steps, once', () => {
    const ended = started(10);
    expect(ended).toMatchObject({ exploration: null, again: [128, 512], triedExamples: 512, lookAt: 20 });
    expect(at(32, ended, 19).exploration).toBeNull();
    const again = at(32, ended, 20);
    expect(again).toMatchObject({ again: null, triedExamples: 512 + 4 * (128 + 512) });
    expect(again.exploration).toMatchObject({ home: 32, sizes: [32, 128, 512], index: 0, warmUp: null });
    expect(again.times.map(({ seconds }) => seconds.length)).toEqual([0, 0]);
    const twice = timeStep(
      {
        ...again,
        exploration: { home: 32, sizes: [32, 128], index: 1, steps: 3, warmUp: null, before: [3] },
      },
      { step: applied(plan(128), { seconds: 10 }), options },
    );
    expect(twice).toMatchObject({ exploration: null, again: null });
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
  const move = { held: 128, target: 256, totalExamples: 0 };

  it('tries the size and the one held, and rests twice as long, a thousand steps at most', () => {
    const trial = tryBeforeMove(underway(), move, options);
    expect(trial).toMatchObject({ triedExamples: 2560 + 4 * 256, restSteps: 40 });
    expect(trial?.exploration).toMatchObject({ home: 128, sizes: [256, 128], before: [4, 4, 4] });
    expect(tryBeforeMove(underway({ restSteps: 640 }), move, options)?.restSteps).toBe(1000);
  });

  it('has nothing left beyond the share of the run', () => {
    const cost = 2560 + 4 * 256;
    expect(tryBeforeMove(underway({ plannedExamples: cost / 0.05 }), move, options)).toBeDefined();
    expect(tryBeforeMove(underway({ plannedExamples: (cost - 1) / 0.05 }), move, options)).toBeUndefined();
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
  it('looks twenty steps later, and then as rarely as after an exploration', () => {
    let timing = afterMove(underway({ steps: 700, lookAt: 792, restSteps: 80 }));
    const looks: number[] = [];
    for (let i = 0; i < 160; i += 1) {
      const before = timing.lookAt;
      timing = timeStep(timing, { step: applied(plan(128), { seconds: 4 }), options });
      if (timing.lookAt !== before) looks.push(timing.steps);
    }
    expect(looks).toEqual([720, 730, 740, 750, 760, 770, 780, 790, 800, 810, 821, 833, 846, 860]);
  });
});
