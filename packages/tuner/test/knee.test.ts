import type { Decision } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { knee, type KneeOptions, type KneeState } from '../src/knee.ts';
import { applied, failed, plan, run, throughJson } from './step.ts';

/** Runs `steps` steps on a machine where a step of B takes T(B), the state going through JSON. */
function runKnee(T: (B: number) => number, options: KneeOptions = {}, info = run()) {
  const controller = knee({ exploration: { timedSteps: 3 }, ...options });
  const decisions: Decision<KneeState>[] = [controller.start(info)];
  for (let i = 0; i < 40; i += 1) {
    const [before, now] = [decisions.at(-2), decisions.at(-1)];
    if (!now) break;
    const warm = before?.plan.batchSize === now.plan.batchSize;
    const step = applied(now.plan, { seconds: T(now.plan.batchSize), warm, totalExamples: 32 * (i + 1) });
    const next = controller.next(step, throughJson(now.state));
    expect(next).toEqual(controller.next(step, now.state));
    decisions.push(next);
  }
  return decisions;
}

const line = (alpha: number, beta: number) => (B: number) => alpha + beta * B;

describe('knee', () => {
  it.each([
    ['8 α/β = 240', 30, 256],
    ['8 α/β = 1600', 200, 2048],
    ['8 α/β = 1400', 175, 1024],
    ['below 32', 2, 32],
    ['above a 16th of the dataset', 1e5, 2048],
  ])('%s: takes the nearest rung', (_name, ratio, batchSize) => {
    const last = runKnee(line(ratio * 1e-5, 1e-5)).at(-1);
    expect(last?.plan).toEqual(plan(batchSize));
    expect(last?.reason.code).toBe('steady');
  });

  it('takes the largest size where more examples cost nothing', () => {
    expect(runKnee(() => 1).at(-1)?.plan).toEqual(plan(2048));
  });

  it('explores with firm decisions, decides once and says why', () => {
    const decisions = runKnee(line(3e-3, 1e-4));
    const sizes = decisions.map(({ plan: { batchSize } }) => batchSize);
    expect(sizes.slice(0, 23)).toEqual(Array(23).fill(32));
    expect(sizes.slice(23, 27)).toEqual(Array(4).fill(128));
    // From 32 to 128 seconds per example fell by 37 %, from 128 to 512 by 14 % in two doublings.
    expect(sizes.slice(27, 31)).toEqual(Array(4).fill(512));
    expect(sizes.slice(31)).toEqual(Array(10).fill(256));
    expect(decisions.slice(0, 32).every(({ firm }) => firm)).toBe(true);
    expect(decisions[31]?.reason).toMatchObject({
      code: 'knee',
      text:
        'A step takes 3 ms before its first example and 100 µs for each, so at 256 larger batches have little left ' +
        'to save.',
    });
    expect(decisions[31]?.reason.numbers['fixedSeconds']).toBeCloseTo(3e-3, 12);
  });

  it('never looks at a gradient', () => {
    for (const { measure } of runKnee(line(3e-3, 1e-4))) expect(measure).toEqual(['loss', 'seconds']);
  });

  it('keeps within its bounds', () => {
    const fast = line(1, 1e-5);
    expect(runKnee(fast, { maxBatchSize: 300 }).at(-1)?.plan).toEqual(plan(256));
    expect(runKnee(line(0, 1), { batchSize: 64, minBatchSize: 64 }).at(-1)?.plan).toEqual(plan(64));
    expect(runKnee(fast, {}, run({ datasetSize: 3000, plannedExamples: 1e6 })).at(-1)?.plan).toEqual(
      plan(128),
    );
    expect(runKnee(line(3e-3, 1e-4), { multiple: 4 }).at(-1)?.plan).toEqual(plan(128));
  });

  it('stays at home where it could time only one size, or none', () => {
    const short = run({ plannedExamples: 5000 });
    expect(runKnee(line(1, 1e-5), {}, short).at(-1)?.plan).toEqual(plan(32));
    expect(runKnee(() => NaN).at(-1)?.plan).toEqual(plan(32));
    expect(runKnee(() => NaN)[21]?.reason.code).toBe('explored');
  });

  it('looks again where step times have changed', () => {
    let steps = 0;
    // α falls from 300 ms to 3 ms with step 100: 8 α/β from 24,000 to 240.
    const machine = (B: number) => line((steps += 1) < 100 ? 0.3 : 3e-3, 1e-4)(B);
    const controller = knee();
    let decision = controller.start(run({ plannedExamples: 1e7 }));
    let before = 0;
    for (let i = 0; i < 400; i += 1) {
      const { batchSize } = decision.plan;
      const step = applied(decision.plan, { seconds: machine(batchSize), warm: before === batchSize });
      before = batchSize;
      decision = controller.next(step, decision.state);
      if (i === 90) expect(batchSize).toBe(2048);
    }
    expect(decision.plan).toEqual(plan(256));
  });

  it('does not go beyond what fits at once, where larger batches run in parts', () => {
    const controller = knee();
    let decision = controller.start(run());
    let before = 0;
    for (let i = 0; i < 40; i += 1) {
      const { batchSize } = decision.plan;
      const parts = Math.ceil(batchSize / 100);
      const ran = plan(batchSize, Math.ceil(batchSize / parts));
      const seconds = parts * 1e-3 + batchSize * 1e-5;
      const next = controller.next(applied(ran, { seconds, warm: before === batchSize }), decision.state);
      if (next.reason.code === 'knee') {
        // 8 α/β = 800, but 128 ran in two parts of 64.
        expect(next.reason.text).toMatch(
          /^Larger batches are run in parts of \d+ examples.*beyond 64 there is nothing/,
        );
        expect(next.plan).toEqual(plan(64));
      }
      before = batchSize;
      decision = next;
    }
    expect(decision.plan).toEqual(plan(64));
  });

  it('starts at the knee of earlier runs', () => {
    const rung = (batchSize: number) => ({
      batchSize,
      parts: 1,
      seconds: 3e-3 + 1e-4 * batchSize,
      firstSeconds: 1,
    });
    const start = knee({ prior: { stepTimes: [rung(32), rung(512)] } }).start(run());
    expect(start.plan).toEqual(plan(256));
    expect(start.reason.code).toBe('recorded');
    expect(start.reason.text).toMatch(/^From earlier runs: A step takes 3 ms before/);
    expect(start.state.timing.exploration?.sizes).toEqual([256]);
  });

  it('ends the run on failures, and refuses a wrong multiple', () => {
    const { state } = knee().start(run());
    expect(knee().recover(failed('nonFinite', plan(32)), state).kind).toBe('giveUp');
    expect(() => knee({ multiple: 0 })).toThrow('multiple is 0');
    expect(() => knee({ batchSize: 16, minBatchSize: 32 })).toThrow('batchSize is 16');
  });
});
