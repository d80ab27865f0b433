import type { AppliedStep } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { goodput } from '../src/goodput.ts';
import type { GoodputOptions } from '../src/goodput-options.ts';
import { gaussianMoments, normal, runPlant, uniform, type Plant } from './plant.ts';
import { explored, follow, followWith, quick, T } from './explored.ts';
import { applied, failed, plan, run, throughJson } from './step.ts';

describe('goodput', () => {
  it('starts at the size that was asked for, within bounds', () => {
    const start = goodput({ batchSize: 64 }).start(run());
    expect(start.plan).toEqual(plan(64));
    expect(start.firm).toBe(true);
    expect(start.measure).toEqual(['loss', 'seconds']);
    expect(start.reason.code).toBe('start');
    expect(goodput({ batchSize: 64 }).start(run({ datasetSize: 40 })).plan).toEqual(plan(40));
  });

  it('explores sizes up to twice the best for the prior', () => {
    const tried = (priorNoiseScale: number) =>
      explored({ priorNoiseScale }, run({ plannedExamples: 2e6 })).state.timing.times.map(
        ({ batchSize }) => batchSize,
      );
    // √(200 · 3 · 600) = 600, and 2048 is more than twice of that; for 2000 it is 1095.
    expect(tried(600)).toEqual([32, 128, 512]);
    // 2048 and 1024 are about as good: it is the latter that is tried once more beside 32.
    expect(tried(2000)).toEqual([32, 128, 512, 1024, 2048]);
  });

  it('goes from the exploration to the best size for the prior', () => {
    // √(200 · 3 · 600) = 600. In goodput 512 beats 1024: 512/(712 · 2312) > 1024/(1224 · 2824).
    const decision = explored();
    expect(decision.plan).toEqual(plan(512));
    expect(decision.firm).toBe(true);
    expect(decision.reason.code).toBe('goodput');
    expect(decision.reason.numbers).toMatchObject({
      heldBatchSize: 32,
      noiseScale: 600,
      criticalBatchSize: 1800,
    });
    expect(decision.reason.numbers['progressRatio']).toBeCloseTo(
      512 / T(512) / (512 + 1800) / (32 / T(32) / (32 + 1800)),
      9,
    );
  });

  it('goes there though one of the three steps that were timed at home was paused', () => {
    // 20 steps of warm-up, then three.
    for (const paused of [21, 22, 23]) expect(explored({}, run(), paused).plan).toEqual(plan(512));
  });

  it('heeds c', () => {
    // √(200 · 0.5 · 600) = 245
    expect(explored({ criticalBatchFactor: 0.5 }).plan).toEqual(plan(256));
  });

  it('heeds p', () => {
    // (200 + √(200² + 8 · 200 · 1800))/2 = 954. In goodput 1024 beats 512: 1024/(1224 √2824) > 512/(712 √2312).
    expect(explored({ examplesExponent: 0.5 }).plan).toEqual(plan(1024));
  });

  it('goes home where no size it tried is better', () => {
    const decision = explored({ criticalBatchFactor: 5 / 600 });
    // φc = 5: √(200 · 5) = 32
    expect(decision.plan).toEqual(plan(32));
    expect(decision.reason.code).toBe('explored');
    expect(decision.firm).toBe(true);
  });

  it('gropes its way up by twos where it could time one size only', () => {
    const decision = explored({ exploration: { shareOfRun: 0.001 } }, run({ plannedExamples: 40_000 }));
    expect(decision.plan.batchSize).toBe(64);
    expect(decision.state.timing.times.length).toBe(1);
  });

  it('gropes on by twos where the first trial timed a second size only', () => {
    // Of 8,000 examples a 20th are 400: too few for four steps of 128, enough for four of 64 and then for none of 128.
    const short = explored({}, run({ datasetSize: 8000 }));
    expect(short.state.timing.times.map(({ batchSize }) => batchSize)).toEqual([32, 64]);
    expect(short.plan).toEqual(plan(64));
  });

  it('tries a first move that is too small for what is known of the noise, too', () => {
    // From 100 to 128 is less than √e, by which the best size is uncertain before noise is measured; it is tried all the same.
    const { state } = explored({ batchSize: 100, maxBatchSize: 128 }, run({ plannedExamples: 2e6 }));
    expect(state.timing.triedExamples).toBe(2 * 4 * 128);
  });

  it('measures soon after it explored, then after four, eight and sixteen more steps, each time on a real step', () => {
    const measured = follow(explored(), 40, () => ({})).flatMap(({ measure }, i) =>
      measure.includes('gradient') ? [i] : [],
    );
    expect(measured).toEqual([0, 4, 12, 28]);
  });

  it('never measures a batch of one', () => {
    const decision = explored({ batchSize: 1, maxBatchSize: 1 });
    expect(follow(decision, 30, () => ({})).some(({ measure }) => measure.includes('gradient'))).toBe(false);
  });

  it('decides after twenty steps, and tries a size before it moves there', () => {
    const draw = normal(uniform(3));
    const gradient = () => gaussianMoments([256, 256], 20, draw);
    const decisions = follow(explored({}, run({ plannedExamples: 2e6 })), 50, (i) =>
      i < 20 ? { warm: i > 0, gradient: gradient() } : {},
    );
    const sizes = decisions.map(({ plan: { batchSize } }) => batchSize);
    const times = (count: number, size: number) => Array<number>(count).fill(size);
    // Four steps of 256 and four of 512 beside it, of which the first is cold; then it has twenty to itself.
    expect(sizes).toEqual([
      ...times(19, 512),
      ...times(4, 256),
      ...times(4, 512),
      ...times(20, 256),
      ...times(3, 128),
    ]);
    expect(decisions[18]?.reason.code).toBe('steady');
    for (const i of [19, 20, 21, 22])
      expect(decisions[i]?.reason.text).toBe('A few steps of 256, to see what they take now.');
    expect(decisions[23]?.reason.text).toBe('A few steps of 512, to see what they take now.');
    expect(decisions[27]?.reason.text).toMatch(/^A step of 256 takes .*noise scale about \d\d examples\)/);
    expect(decisions.map(({ firm = false }) => firm).slice(18, 29)).toEqual([
      false,
      ...Array<boolean>(9).fill(true),
      false,
    ]);
  });

  it('moves only for a gain above its least, and above the noise of the step times', () => {
    const draw = normal(uniform(3));
    const exploration = { lookEverySteps: 20 };
    const after20 = (options: GoodputOptions, jitter: number) => {
      const more = (i: number): Partial<AppliedStep> =>
        i % 2 === 0
          ? { gradient: gaussianMoments([256, 256], 20, draw) }
          : { seconds: T(512) * (i % 4 === 1 ? 1 - jitter : 1 + jitter) };
      const all = followWith({ exploration, ...options }, explored({ exploration }), { steps: 20, more });
      return all.at(-1)?.plan.batchSize;
    };
    // Nothing is left for trials.
    // 256 promises 1.42 times the progress of 512.
    expect(after20({}, 0)).toBe(256);
    expect(after20({ leastGain: 0.3 }, 0)).toBe(256);
    expect(after20({ leastGain: 0.5 }, 0)).toBe(512);
    // Three steps from the exploration and ten with quartiles at ± 95 %: an error of 1.86 · 0.95/√13 = 0.49.
    expect(after20({}, 0.95)).toBe(512);
    expect(after20({}, 0.7)).toBe(256);
  });

  it('does not shrink the batch while the gradient drowns in its noise', () => {
    const draw = normal(uniform(3));
    const at2048 = (gradient: boolean) =>
      follow(explored(), 20, () => ({
        plan: plan(2048),
        examples: 2048,
        seconds: T(2048),
        ...(gradient && { gradient: gaussianMoments([8, 8], 1e6, draw) }),
      })).at(-1)?.plan;
    // By the prior alone, 600, it is too large. Of 320 measured examples hardly more is known, but not the opposite.
    expect(at2048(false)).toEqual(plan(1024));
    expect(at2048(true)).toEqual(plan(2048));
  });

  it('makes no move in the last twentieth of the run', () => {
    const draw = normal(uniform(3));
    const info = run({ plannedExamples: 1e6 });
    const at = (totalExamples: number) =>
      follow(explored({}, info), 20, () => ({
        totalExamples,
        gradient: gaussianMoments([256, 256], 20, draw),
      })).at(-1)?.plan.batchSize;
    expect(at(949_000)).toBe(256);
    expect(at(950_000)).toBe(512);
  });

  it('is free to go to the best size after the repetition of the first exploration, not after a later one', () => {
    const { state } = explored();
    const after = (sizes: readonly number[], home: number) => {
      const exploration = {
        home,
        isFree: sizes[0] === home,
        sizes,
        index: sizes.length - 1,
        steps: 3,
        warmUp: null,
        before: [],
      };
      const size = sizes.at(-1) ?? 0;
      const step = applied(plan(size), { seconds: T(size) });
      return quick({ criticalBatchFactor: 0.1 }).next(step, {
        ...state,
        timing: { ...state.timing, exploration },
      });
    };
    // √(200 · 60) = 110. What is timed again in the middle of the run is for the next move.
    expect(after([512, 2048], 512).plan).toEqual(plan(128));
    expect(after([128, 2048, 512], 512).plan).toEqual(plan(256));
    expect(after([128, 2048, 512], 512).firm).toBe(true);
  });

  it('reads the plan that ran, not the one it wanted', () => {
    const decisions = follow(explored(), 1, () => ({ plan: plan(100, 50), examples: 100 }));
    expect(decisions[0]?.plan).toEqual(plan(100));
  });

  it('ignores gradients that are not finite', () => {
    const bad = { sizes: [256, 256], squaredNorms: [Infinity, 1], crossProduct: NaN };
    const decisions = follow(explored(), 15, () => ({ gradient: bad }));
    expect(decisions.at(-1)?.plan).toEqual(plan(512));
    expect(decisions.at(-1)?.state.watch.noise?.samples).toBe(0);
    expect(throughJson(decisions.at(-1)?.state ?? null)).toEqual(decisions.at(-1)?.state);
  });

  it('forgets over 8 batches at least, so that a small noise scale stays known', () => {
    const draw = normal(uniform(3));
    const last = follow(explored(), 9, () => ({ gradient: gaussianMoments([256, 256], 20, draw) })).at(-1);
    // Weights fall by e^(−1/8) a step, Σ w = 512 (1 − e^(−9/8)) / (1 − e^(−1/8)); at first, with 600 believed, by e^(−512/4800).
    const sum = (perStep: number) => (512 * (1 - Math.exp(-9 * perStep))) / (1 - Math.exp(-perStep));
    const weight = last?.state.watch.noise?.weight ?? NaN;
    expect(weight).toBeGreaterThan(sum(1 / 8) - 1e-6);
    expect(weight).toBeLessThan(sum(512 / 4800) + 1e-6);
  });

  it('says where its knowledge is weak, and hands it on as evidence', () => {
    const draw = normal(uniform(3));
    const more = (i: number): Partial<AppliedStep> =>
      i % 2 === 0 ? { gradient: gaussianMoments([256, 256], 20, draw) } : {};
    const decisions = followWith({ leastGain: 0.5 }, explored(), { steps: 20, more });
    const last = decisions.at(-1);
    expect(last?.reason).toMatchObject({
      code: 'weak-evidence',
      text: expect.stringContaining('256 may make'),
    });
    expect(last?.plan).toEqual(plan(512));
    expect(last?.evidence?.noiseScale).toBeLessThan(60);
    expect(decisions[0]?.evidence?.noiseScale).toBe(600);
    // Nothing is measured yet, so that φ may be off by e: B by the power q/(q + 1) of that.
    expect(decisions[0]?.evidence?.logBatchSizeError).toBe(1 / 2);
    expect(goodput({ optimizer: 'adam' }).start(run()).evidence?.logBatchSizeError).toBe(2 / 3);
  });

  it('ends the run on failures that are not its business', () => {
    const { state } = explored();
    expect(goodput().recover(failed('nonFinite', plan(512)), state).kind).toBe('giveUp');
    expect(goodput().recover(failed('outOfMemory', plan(512)), state).kind).toBe('giveUp');
  });

  it('is pure: the same steps give the same decisions, through JSON too', () => {
    const plant: Plant = {
      fixedSeconds: 2e-3,
      secondsPerExample: 1e-5,
      noiseScale: () => 200,
      criticalBatchFactor: 3,
      warmUpSteps: 30,
    };
    const controller = goodput();
    const info = { ...run({ datasetSize: 5000, plannedExamples: 100_000 }) };
    const { steps } = runPlant(controller, plant, info);
    expect(steps.length).toBeGreaterThan(300);
    let [decision, replayed] = [controller.start(info), controller.start(info)];
    for (const { outcome } of steps) {
      decision = controller.next(outcome, decision.state);
      replayed = goodput().next(outcome, throughJson(replayed.state));
      expect(replayed).toEqual(decision);
    }
  });
});
