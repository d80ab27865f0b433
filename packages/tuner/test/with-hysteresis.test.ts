import type { Evidence } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { withHysteresis } from '../src/with-hysteresis.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

const uncertain = (logBatchSizeError: number): { evidence: Evidence } => ({
  evidence: { logBatchSizeError },
});

/** What follows when 100 has run for `steps` steps (this one included) and `target` is wanted. */
function after(steps: number, target: number, controller = withHysteresis(scripted([100, target]))) {
  return controller.next(applied(plan(100)), { inner: 1, batchSize: 100, steps: steps - 1 });
}

describe('withHysteresis', () => {
  it('starts where the inner controller starts', () => {
    const start = withHysteresis(scripted([100])).start(run());
    expect(start.plan).toEqual(plan(100));
    expect(start.state).toEqual({ inner: 1, batchSize: 100, steps: 0 });
  });

  it.each([
    [139, 100],
    [140, 100],
    [141, 141],
    [72, 100],
    [71, 71],
  ])('a wish for %s instead of 100 becomes %s: the ratio must be above 1.4', (target, becomes) => {
    expect(after(20, target).plan.batchSize).toBe(becomes);
  });

  it('holds a size for 20 steps', () => {
    expect(after(19, 400).plan).toEqual(plan(100));
    expect(after(20, 400).plan).toEqual(plan(400));
  });

  it('says why it holds, and remembers what the inner controller learned', () => {
    const soon = after(7, 400);
    expect(soon.reason.code).toBe('weak-evidence');
    for (const { reason } of [soon, after(30, 120)])
      expect(reason.text).toMatch(/^No change: weak evidence\. /);
    expect(soon.reason.text).toContain('100 has run for only 7 steps');
    expect(soon.reason.numbers).toEqual({ batchSize: 100, targetBatchSize: 400, steps: 7 });
    expect(soon.state).toEqual({ inner: 2, batchSize: 100, steps: 7 });
    const weak = after(30, 120);
    expect(weak.reason.code).toBe('weak-evidence');
    expect(weak.reason.text).toContain('a factor of 1.4 would count');
    expect(weak.reason.numbers['neededRatio']).toBeCloseTo(1.4, 12);
    expect(weak.measure).toEqual(['seconds']);
  });

  it('asks for more than the uncertainty of the decision', () => {
    const controller = withHysteresis(scripted([100, 200], uncertain(0.7)));
    expect(after(20, 200, controller).plan).toEqual(plan(100));
    const surer = withHysteresis(scripted([100, 200], uncertain(0.69)));
    expect(after(20, 200, surer).plan).toEqual(plan(200));
  });

  it('lets a firm decision pass at once, and counts from there', () => {
    const decision = after(1, 110, withHysteresis(scripted([100, 110], { firm: true })));
    expect(decision.plan).toEqual(plan(110));
    expect(decision.state).toEqual({ inner: 2, batchSize: 110, steps: 0 });
  });

  it('counts the steps of the size that really ran', () => {
    const controller = withHysteresis(scripted([100, 400]));
    const state = { inner: 1, batchSize: 100, steps: 30 };
    const decision = controller.next(applied(plan(64, 32)), state);
    expect(decision.plan).toEqual(plan(64, 32));
    expect(decision.state).toEqual({ inner: 2, batchSize: 64, steps: 1 });
  });

  it('has a ratio and a dwell of your choice', () => {
    const eager = withHysteresis(scripted([100, 101]), { ratio: 1, dwellSteps: 0 });
    expect(after(1, 101, eager).plan).toEqual(plan(101));
    expect(() => withHysteresis(scripted([1]), { ratio: 0.9 })).toThrow('ratio is 0.9');
    expect(() => withHysteresis(scripted([1]), { dwellSteps: -1 })).toThrow('dwellSteps is -1');
  });

  it('passes on how the inner controller recovers', () => {
    const controller = withHysteresis(scripted([100, 50]));
    const state = { inner: 1, batchSize: 100, steps: 5 };
    expect(controller.recover(failed('nonFinite', plan(100)), state)).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(50), state: { inner: 2, batchSize: 50 } },
    });
    expect(controller.recover(failed('outOfMemory', plan(100)), state).kind).toBe('giveUp');
  });
});
