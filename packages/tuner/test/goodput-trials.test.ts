import type { AppliedStep, BatchController, Decision, Json } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import type { GoodputOptions } from '../src/goodput-options.ts';
import { withHysteresis } from '../src/with-hysteresis.ts';
import { gaussianMoments, normal, uniform } from './plant.ts';
import { explored, follow, quick, T } from './explored.ts';
import { applied, plan, run } from './step.ts';

const long = run({ plannedExamples: 2e6 });

/** Noise of 20 examples in the first twenty steps, for which 256 pays where 512 runs. */
const quiet = () => {
  const draw = normal(uniform(3));
  return (i: number): Partial<AppliedStep> =>
    i < 20 && i % 2 === 0 ? { gradient: gaussianMoments([256, 256], 20, draw) } : {};
};

/** Runs from the start as decided, where the i-th step, of B examples, takes `seconds(B, i)`. */
function begin(
  seconds: (batchSize: number, i: number) => number,
  steps: number,
  options: GoodputOptions = {},
) {
  const controller = quick(options);
  const decisions = [controller.start(long)];
  for (let i = 0; i < steps; i += 1) {
    const [last, now] = [decisions.at(-2), decisions.at(-1)];
    if (!now) break;
    const { batchSize } = now.plan;
    const step = applied(now.plan, {
      seconds: seconds(batchSize, i),
      warm: last?.plan.batchSize === batchSize,
    });
    decisions.push(controller.next(step, now.state));
  }
  return decisions;
}

/** Each size in turn, with how many steps in a row it ran. */
function turns(decisions: readonly { readonly plan: { readonly batchSize: number } }[]) {
  const found: [batchSize: number, steps: number][] = [];
  for (const { plan: ran } of decisions) {
    const [last] = found.slice(-1);
    if (last?.[0] === ran.batchSize) last[1] += 1;
    else found.push([ran.batchSize, 1]);
  }
  return found;
}

describe('the first move of goodput', () => {
  // An example takes as long in each batch, so that a larger one has no use.
  const even = (batchSize: number) => 1e-4 * batchSize;

  it('is tried first: by a time from while the program was cold alone it does not go', () => {
    const decisions = begin((batchSize, i) => even(batchSize) * (i < 23 ? 3 : 1), 60);
    // 20 steps of warm-up and three timed. Beside the cold 32 an example of 128 takes a third of the time: 3 · 1832/1928 = 2.9
    // times the progress, of 512 3 · 1832/2312 = 2.4 times.
    expect(turns(decisions)).toEqual([
      [32, 23],
      [128, 4],
      [512, 4],
      [128, 4],
      [32, 26],
    ]);
    expect(decisions[39]?.reason).toMatchObject({ code: 'explored', text: '128 was tried; 32 stays.' });
    expect(decisions[39]?.firm).toBe(true);
    expect(decisions[39]?.state.timing.rest).toEqual({ held: 32, steps: 40 });
    // The four steps at home cost nothing.
    expect(decisions[39]?.state.timing.triedExamples).toBe(4 * (128 + 512 + 128));
  });

  it('is made, as far as it goes, where the size is as good beside the one held', () => {
    const decisions = begin(T, 60);
    expect(turns(decisions)).toEqual([
      [32, 23],
      [128, 4],
      [512, 8],
      [32, 4],
      [512, 22],
    ]);
    expect(decisions.slice(1, 40).every(({ firm }) => firm)).toBe(true);
    expect(decisions[39]?.reason).toMatchObject({
      code: 'goodput',
      numbers: { heldBatchSize: 32, batchSize: 512, heldStepSeconds: T(32), stepSeconds: T(512) },
    });
  });

  it('is made at once where nothing is left for trials', () => {
    const within = (examples: number) => begin(T, 60, { exploration: { shareOfRun: examples / 2e6 } });
    const cost = 4 * (128 + 512 + 512);
    expect(turns(within(cost)).slice(2, 4)).toEqual([
      [512, 8],
      [32, 4],
    ]);
    expect(turns(within(cost - 1)).slice(2)).toEqual([[512, 34]]);
  });
});

describe('a trial of goodput', () => {
  it.each([
    ['is as slow as the one held', 1],
    ['was better only while the machine paused', 3],
  ])('stays where the size that it tries %s, and then leaves it alone twice as long', (_what, pause) => {
    const draw = normal(uniform(3));
    // 256 would pay if it took less time than 512, by the line through the sizes that ran; here it takes as long.
    const decisions = follow(explored({}, long), 60, (i) => ({
      seconds: T(512) * (i < 20 ? pause : 1),
      ...(i < 20 && i % 2 === 0 && { gradient: gaussianMoments([256, 256], 20, draw) }),
    }));
    const tried = decisions.flatMap(({ plan: { batchSize }, reason }, i) =>
      batchSize === 256 && decisions[i - 1]?.plan.batchSize === 512 ? [[i, reason.code]] : [],
    );
    expect(decisions.every(({ reason }) => reason.code !== 'goodput')).toBe(true);
    expect(tried).toEqual([[19, 'explore']]);
    expect(decisions[27]?.reason).toMatchObject({ code: 'explored', text: '256 was tried; 512 stays.' });
    expect(decisions.at(-1)?.state.timing.rest).toEqual({ held: 512, steps: 40 });
  });

  it('comes however noisy the step times are, and ends where it was unless it tells more than they do', () => {
    // Three steps from the start and ten with quartiles at ± 95 %, an error of 1.86 · 0.95/√13 = 0.49 and of 0.44 with the three of the trial,
    // where 256 promises 1.42 times the progress of 512.
    const noisy = (jitter: number) => {
      const draw = normal(uniform(3));
      return follow(explored({}, long), 28, (i) => {
        if (i < 20 && i % 2 === 0) return { gradient: gaussianMoments([256, 256], 20, draw) };
        if (i >= 20) return { seconds: T(i < 24 ? 256 : 512) };
        return { seconds: T(512) * (i % 4 === 1 ? 1 - jitter : 1 + jitter) };
      });
    };
    for (const [jitter, reached] of [
      [0, 256],
      [0.95, 512],
    ] as const) {
      const decisions = noisy(jitter);
      expect(decisions[19]?.reason.text).toBe('A few steps of 256, to see what they take now.');
      expect(decisions[27]?.plan).toEqual(plan(reached));
    }
  });

  it('moves at once where nothing is left for trials', () => {
    const draw = normal(uniform(3));
    // A 20th of an epoch of 60,000 examples is less than the 2560 of the start and four times 256.
    const more = () => ({ gradient: gaussianMoments([256, 256], 20, draw) });
    const last = follow(explored(), 20, more).at(-1);
    expect(last?.plan).toEqual(plan(256));
    expect(last?.reason.code).toBe('goodput');
    expect(last?.firm).toBeUndefined();
  });

  it('moves to a size that was tried, or not at all', () => {
    // φc = 6000: by the line through the sizes that ran 1024 makes 1.08 times the progress of 512, and 256 0.81 times.
    const options = { criticalBatchFactor: 10 };
    const { state } = explored({}, long);
    const ended = (sizes: readonly number[]) => {
      const exploration = { home: 512, isFree: false, sizes, index: 1, steps: 3, warmUp: null, before: [] };
      const timing = { ...state.timing, exploration };
      return quick(options).next(applied(plan(512), { seconds: T(512) }), { ...state, timing }).plan;
    };
    expect(ended([256, 512])).toEqual(plan(512));
    // Where what is between was not to be tried, for 128 is all that ran below, it follows from that.
    expect(ended([128, 512])).toEqual(plan(1024));
  });

  it('that is not run leaves all as it was: the times, the examples for trials, and the batch that ran instead', () => {
    const before = follow(explored({}, long), 20, quiet()).at(-1);
    if (!before) throw new Error('It did not run.');
    expect(before.plan).toEqual(plan(256));
    const controller = quick();
    const held = follow(explored({}, long), 19, quiet()).at(-1)?.state.timing;
    const cut = controller.next(applied(plan(100), { seconds: T(100), warm: false }), before.state);
    expect(cut.plan).toEqual(plan(100));
    expect(cut.reason.code).toBe('steady');
    expect(cut.state.timing.exploration).toBeNull();
    expect(cut.state.timing.triedExamples).toBe(held?.triedExamples);
    expect(cut.state.timing.rest).toEqual({ held: 512, steps: 40 });
    const secondsOf = (times = held?.times, size = 512) =>
      times?.find((rung) => rung.batchSize === size)?.seconds;
    for (const size of [32, 128])
      expect(secondsOf(cut.state.timing.times, size)).toEqual(secondsOf(held?.times, size));
    // The step that asked for it was one of 512.
    expect(secondsOf(cut.state.timing.times)?.length).toBe((secondsOf()?.length ?? 0) + 1);
  });

  it('comes twice as late after one that led nowhere, in hysteresis too', () => {
    const controller: BatchController<Json> = withHysteresis(quick({ exploration: { driftRatio: 100 } }));
    const draw = normal(uniform(3));
    let decision = { ...controller.start(long) };
    const trials: number[] = [];
    let [last, size] = [32, 32];
    for (let i = 0; i < 400; i += 1) {
      size = decision.plan.batchSize;
      const isMeasured = decision.measure.includes('gradient');
      const step = applied(decision.plan, {
        // As slow at 256 as at 512, but 512 is three times as slow whenever it is not compared.
        seconds: size === 512 && !decision.firm ? 3 * T(512) : T(size === 256 ? 512 : size),
        warm: size === last,
        ...(isMeasured && { gradient: gaussianMoments([size / 2, size / 2], 20, draw) }),
      });
      last = size;
      decision = controller.next(step, decision.state);
      const isTrial =
        decision.reason.text.startsWith('A few steps of 256') && decision.plan.batchSize !== size;
      if (isTrial && size === 512) trials.push(i);
    }
    const gaps = trials.slice(1).map((at, k) => at - (trials[k] ?? 0));
    // Eight steps of trial, and then a rest of 40, 80 and so on to the next look, which come every ten at first.
    expect(gaps.length).toBeGreaterThan(1);
    gaps.forEach((gap, k) => expect(gap).toBeGreaterThanOrEqual(8 + 40 * 2 ** k));
  });
});

describe('a start where the first other size was paused', () => {
  it('is repeated after twenty steps, and then free to go to the best size', () => {
    const controller = quick();
    let decision: Decision<ReturnType<typeof controller.start>['state']> = controller.start(long);
    const ran: number[] = [];
    for (let i = 0; i < 80; i += 1) {
      const { batchSize } = decision.plan;
      const isFirst = ran.filter((size) => size === 128).length < 4;
      const seconds = T(batchSize) * (batchSize === 128 && isFirst ? 5 : 1);
      const step = applied(decision.plan, { seconds, warm: batchSize === (ran.at(-1) ?? 32) });
      ran.push(batchSize);
      decision = controller.next(step, decision.state);
    }
    const first = ran.indexOf(128);
    const again = ran.indexOf(128, first + 4);
    expect(ran.indexOf(512)).toBeGreaterThan(again);
    // 512 in the end, as where nothing was paused.
    expect(ran.at(-1)).toBe(512);
    expect(again - first).toBeGreaterThanOrEqual(4 + 20);
    expect(again - first).toBeLessThanOrEqual(4 + 30 + 3);
  });
});
