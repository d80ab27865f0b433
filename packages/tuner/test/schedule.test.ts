import { constantRate, cosineDecay, productOf, stepDecay, warmUp } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import type { BatchController, Decision, Json } from '@batchwise/core';
import { schedule, type ScheduleOptions } from '../src/schedule.ts';
import { withCeiling } from '../src/with-ceiling.ts';
import { withGuard } from '../src/with-guard.ts';
import { applied, failed, plan, run, throughJson } from './step.ts';

/** The plans at these numbers of examples, one after the other. */
function plansAt(options: ScheduleOptions, examples: readonly number[], info = run()) {
  const controller = schedule(options);
  let decision = controller.start(info);
  return examples.map((totalExamples) => {
    decision = controller.next(applied(decision.plan, { totalExamples }), throughJson(decision.state));
    return decision;
  });
}

describe('schedule by a rate', () => {
  it('grows the batch where the rate would drop, and leaves the rate', () => {
    const rate = stepDecay(1000, 0.5);
    const plans = plansAt({ rate, batchSize: 48 }, [0, 999, 1000, 2500, 3999]).map(
      (decision) => decision.plan,
    );
    expect(plans).toEqual([plan(48), plan(48), plan(96), plan(192), plan(384)]);
  });

  it('keeps η/B as the schedule would have it, with few sizes and at the largest of them', () => {
    const rate = cosineDecay(10_000, 0.01);
    for (const [i, { plan: now }] of plansAt(
      { rate, batchSize: 32, maxBatchSize: 256 },
      Array.from({ length: 100 }, (_, k) => 100 * k),
    ).entries()) {
      expect(now.learningRateScale / now.batchSize).toBeCloseTo(rate(100 * i) / 32, 12);
      expect([32, 64, 128, 256]).toContain(now.batchSize);
      // The nearest power of two, so that the rate is within √2 of the configured one, but for the bound.
      if (now.batchSize < 256) expect(Math.abs(Math.log2(now.learningRateScale))).toBeLessThanOrEqual(0.5);
    }
  });

  it('lets a warm-up be one: what has not dropped is no reason to grow', () => {
    const rate = productOf(warmUp(1000), stepDecay(2000, 0.25));
    const plans = plansAt({ rate, batchSize: 32 }, [99, 999, 1999, 2000]).map((decision) => decision.plan);
    expect(plans).toEqual([plan(32, 32, 0.1), plan(32), plan(32), plan(128)]);
  });

  it('gives its reasons, and asks for no measurement', () => {
    const [still, grown] = plansAt({ rate: stepDecay(1000, 0.5), batchSize: 32 }, [10, 1000]);
    expect(still?.reason.code).toBe('steady');
    expect(grown?.reason).toMatchObject({
      code: 'schedule',
      text:
        'The schedule has the learning rate at 0.5 of its peak. Batches of 64 in place of 32 take as much noise from ' +
        'the updates in fewer steps, with the rate at 1 of the configured one.',
      numbers: { batchSize: 64, rateDrop: 0.5, learningRateScale: 1 },
    });
    expect(grown?.measure).toEqual([]);
  });

  it('stands a rate of 0 at the end, and refuses one that is no number', () => {
    const [last] = plansAt({ rate: cosineDecay(100), batchSize: 32, maxBatchSize: 64 }, [100]);
    expect(last?.plan.batchSize).toBe(64);
    expect(last?.plan.learningRateScale).toBeGreaterThan(0);
    expect(() => schedule({ rate: () => NaN }).start(run())).toThrow('rate answers NaN at 0 examples');
    expect(() => schedule({ rate: () => -1 }).start(run())).toThrow('rate answers -1');
  });

  it('lets the rate fall where memory or the guard keep the batch from growing', () => {
    const rate = stepDecay(1000, 0.5);
    const after = (wrapped: BatchController<Json>, before: Decision<Json>, examples: readonly number[]) => {
      let decision = before;
      return examples.map((totalExamples) => {
        decision = wrapped.next(applied(decision.plan, { totalExamples }), throughJson(decision.state));
        return decision.plan;
      });
    };
    const cut = withCeiling(schedule({ rate, batchSize: 32 }), { batchSize: 64, accumulate: false });
    const plans = after(cut as BatchController<Json>, cut.start(run()), [10, 1000, 2000, 2001, 3000, 3001]);
    // The first of those that are cut goes at the rate of before.
    expect(plans).toEqual(
      [32, 64, 64, 64, 64, 64].map((size, i) => plan(size, size, [1, 1, 1, 0.5, 0.25, 0.25][i])),
    );

    const guarded = withGuard(schedule({ rate, batchSize: 32 }));
    const recovery = guarded.recover(failed('nonFinite', plan(32)), guarded.start(run()).state);
    if (recovery.kind !== 'retry') throw new Error(recovery.message);
    expect(recovery.decision.plan).toEqual(plan(32, 32, 0.5));
    const later = after(
      guarded as BatchController<Json>,
      recovery.decision as Decision<Json>,
      [10, 3000, 3001],
    );
    expect(later.at(-1)).toEqual(plan(32, 32, 0.125));
  });

  it('stays below a 16th of the data', () => {
    const rate = stepDecay(10, 0.1);
    expect(plansAt({ rate, batchSize: 32 }, [500], run({ datasetSize: 4000 }))[0]?.plan.batchSize).toBe(128);
    expect(plansAt({ rate: constantRate, batchSize: 32 }, [500])[0]?.plan).toEqual(plan(32));
  });
});

describe('schedule by milestones', () => {
  const milestones = [
    { examples: 2000, batchSize: 500 },
    { examples: 1000, batchSize: 100 },
  ];

  it('runs each batch from its examples on', () => {
    const decisions = plansAt({ milestones, batchSize: 32 }, [999, 1000, 1999, 2000, 9000]);
    expect(decisions.map((decision) => decision.plan)).toEqual(
      [32, 100, 100, 500, 500].map((size) => plan(size)),
    );
    expect(decisions.map(({ reason }) => reason.code)).toEqual([
      'steady',
      'milestone',
      'steady',
      'milestone',
      'steady',
    ]);
    expect(decisions[1]?.reason.text).toBe('The schedule asks for batches of 100 from 1000 examples on.');
  });

  it('goes no higher than the largest batch allowed', () => {
    const decisions = plansAt({ milestones, batchSize: 32, maxBatchSize: 64 }, [999, 1000, 9000]);
    expect(decisions.map((decision) => decision.plan)).toEqual([32, 64, 64].map((size) => plan(size)));
  });

  it('refuses what is no size, and ends the run on failures', () => {
    expect(() => schedule({ milestones: [{ examples: 5, batchSize: 1.5 }] })).toThrow(
      'batchSize of a milestone is 1.5',
    );
    expect(() => schedule({ milestones: [{ examples: 0, batchSize: 5 }] })).toThrow(
      'examples of a milestone is 0',
    );
    const controller = schedule({ milestones });
    expect(controller.recover(failed('outOfMemory', plan(32)), controller.start(run()).state).kind).toBe(
      'giveUp',
    );
  });
});
