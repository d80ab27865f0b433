import type { Evidence } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { withLearningRate, type LearningRateOptions } from '../src/with-learning-rate.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

/** Of a controller that has been asked nothing yet. */
const told = { inner: 0, left: null, referenceBatchSize: 32 };

describe('withLearningRate', () => {
  const coupled = (sizes: readonly number[], more: Partial<LearningRateOptions> = {}, firm = false) =>
    withLearningRate(scripted(sizes, firm ? { firm } : {}), {
      rule: 'linear',
      referenceBatchSize: 32,
      ...more,
    });
  const scaleAfter = (from: number, ...args: Parameters<typeof coupled>) =>
    coupled(...args).next(applied(plan(32, 32, from)), told).plan.learningRateScale;

  it('starts at the configured rate, or below for a smaller batch', () => {
    expect(coupled([32]).start(run()).plan).toEqual(plan(32, 32, 1));
    expect(coupled([128]).start(run()).plan).toEqual(plan(128, 128, 1));
    expect(coupled([8]).start(run()).plan).toEqual(plan(8, 8, 0.25));
  });

  it('takes all examples for a whole batch where there are fewer than it is configured for', () => {
    const controller = coupled([6, 6, 3]);
    const first = controller.start(run({ datasetSize: 6 }));
    expect(first.plan).toEqual(plan(6, 6, 1));
    const second = controller.next(applied(first.plan), first.state);
    expect(second.plan).toEqual(plan(6, 6, 1));
    expect(controller.next(applied(second.plan), second.state).plan).toEqual(plan(3, 3, 0.5));
  });

  it('rises by 10 % a step up to the rule', () => {
    expect(scaleAfter(1, [128])).toBeCloseTo(1.1, 12);
    expect(scaleAfter(1.1, [128])).toBeCloseTo(1.21, 12);
    expect(scaleAfter(3.9, [128])).toBe(4);
    expect(scaleAfter(1, [128], { risePerStep: 0.5 })).toBe(1.5);
  });

  it('falls at once', () => {
    expect(scaleAfter(4, [64])).toBe(2);
  });

  it('does not rise for a size that is only tried, and falls for it', () => {
    expect(scaleAfter(1.5, [512], {}, true)).toBe(1.5);
    expect(scaleAfter(4, [64], {}, true)).toBe(2);
  });

  it('rises for a size that runs on, firm or not, and says so to those who would not ask', () => {
    const inner = scripted([128], { firm: true, standsFor: 9 });
    const controller = withLearningRate(inner, { rule: 'linear', referenceBatchSize: 32 });
    let decision = controller.start(run());
    const seen = Array.from({ length: 17 }, () => {
      const { plan: of, standsFor } = decision;
      decision = controller.next(applied(of), decision.state);
      return [of.learningRateScale, standsFor];
    });
    const ramp = Array.from({ length: 15 }, (_, i) => [expect.closeTo(1.1 ** i, 9), 0]);
    expect(seen).toEqual([...ramp, [4, 9], [4, 9]]);
  });

  it('comes back at once to the rate of before sizes were tried', () => {
    const scales = (sizes: readonly number[], firmUntil: number) => {
      const inner = scripted([32, ...sizes]);
      const controller = withLearningRate(
        {
          ...inner,
          next: (step, i) => ({ ...inner.next(step, i), ...(i <= firmUntil && { firm: true }) }),
        },
        { rule: 'linear', referenceBatchSize: 32 },
      );
      let decision = { ...controller.start(run()), plan: plan(128, 128, 3) };
      return sizes.map(() => {
        decision = controller.next(applied(decision.plan), decision.state);
        return Number(decision.plan.learningRateScale.toFixed(6));
      });
    };
    // 64 is tried, for which 2 is the rate, then 128, which had come to 3 of its 4 and rises again once that is over.
    expect(scales([64, 64, 128, 128, 128], 4)).toEqual([2, 2, 3, 3, 3.3]);
    // From 64 to 16, and no further than before where another size is settled on.
    expect(scales([64, 16, 128, 256], 3)).toEqual([2, 0.5, 3, 3.3]);
    expect(scales([64, 64, 96, 96], 3)).toEqual([2, 2, 2, 2.2]);
    // What was left for good is no longer known.
    expect(scales([64, 64, 64, 128], 2)).toEqual([2, 2, 2, 2.2]);
  });

  it('takes 15 steps from 1 to 4: ln 4 / ln 1.1 = 14.5', () => {
    const controller = coupled([128]);
    let decision = controller.start(run());
    let steps = 0;
    for (; decision.plan.learningRateScale < 4; steps += 1)
      decision = controller.next(applied(decision.plan), decision.state);
    expect(steps).toBe(15);
  });

  it('tries a batch again at the rate that it had, though a failed step has no evidence of the noise', () => {
    const evidence = { noiseScale: 1000, rememberedBatchSize: 64 };
    const inner = scripted([256], { evidence });
    const again = { ...scripted([256]).start(run()), plan: plan(256, 128) };
    const retrying = { ...inner, recover: () => ({ kind: 'retry' as const, decision: again }) };
    const controller = withLearningRate(retrying, { rule: 'sqrt', referenceBatchSize: 32 });
    const recovery = controller.recover(failed('outOfMemory', plan(256, 256, 5)), told);
    expect(recovery).toMatchObject({ kind: 'retry', decision: { plan: plan(256, 128, 5) } });
  });

  it('still knows after a failed step what ran before sizes were tried', () => {
    const left = { batchSize: 128, learningRateScale: 4 };
    const recovery = coupled([64]).recover(failed('nonFinite', plan(64, 64, 2)), { ...told, left });
    expect(recovery).toMatchObject({ kind: 'retry', decision: { state: { left } } });
  });

  it('scales a retry by the batch that is retried, and passes a surrender on', () => {
    const controller = coupled([64]);
    expect(controller.recover(failed('nonFinite', plan(128, 128, 4)), told)).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(64, 64, 2) },
    });
    expect(controller.recover(failed('outOfMemory', plan(128)), told).kind).toBe('giveUp');
  });

  it('leaves all else to the inner controller', () => {
    const inner = scripted([32]);
    const outer = coupled([32]);
    const { state, ...said } = inner.start(run());
    expect(outer.start(run())).toEqual({ ...said, standsFor: 0, state: { ...told, inner: state } });
    expect(outer.name).toBe('scripted');
  });

  it('warms up over examples: in a straight line from 1, whatever the batch', () => {
    const at = (totalExamples: number, from: number) =>
      coupled([128], { warmUpExamples: 1000, risePerStep: 10 }).next(
        applied(plan(128, 128, from), { totalExamples }),
        told,
      ).plan.learningRateScale;
    expect(at(250, 1)).toBeCloseTo(1.75, 12);
    expect(at(500, 1)).toBeCloseTo(2.5, 12);
    expect([at(1000, 1), at(5000, 1)]).toEqual([4, 4]);
    const below = coupled([8], { warmUpExamples: 1000 });
    expect(below.next(applied(plan(32)), told).plan.learningRateScale).toBe(0.25);
  });

  it('goes by the noise scale that the decision rests on', () => {
    const controller = withLearningRate(scripted([64, 64], { evidence: { noiseScale: 96 } }), {
      rule: 'adascale',
      referenceBatchSize: 32,
      risePerStep: 10,
    });
    // (1 + 96/32) / (1 + 96/64)
    expect(controller.next(applied(plan(64)), told).plan.learningRateScale).toBeCloseTo(1.6, 12);
  });

  it('makes up for what Adam remembers of other batches, within the same rise', () => {
    const after = (from: number, evidence: Evidence) =>
      withLearningRate(scripted([512], { evidence, standsFor: 9 }), {
        rule: 'sqrt',
        referenceBatchSize: 32,
      }).next(applied(plan(512, 512, from)), told);
    // 4 √((1 + 10·100/32) / (1 + 10·100/512)) = 4 √(32.25 / 2.953125)
    const remembered = { noiseScale: 100, rememberedBatchSize: 32 };
    const there = after(13, remembered);
    expect(there.plan.learningRateScale).toBeCloseTo(13.218554, 5);
    expect(there.standsFor).toBe(9);
    const rising = after(4, remembered);
    expect(rising.plan.learningRateScale).toBeCloseTo(4.4, 12);
    expect(rising.standsFor).toBe(0);
    expect(after(10, { noiseScale: 100 }).plan.learningRateScale).toBe(4);
    expect(after(10, { rememberedBatchSize: 32 }).plan.learningRateScale).toBe(4);
    // After larger batches the rate is lower than the rule says.
    const larger = after(10, { noiseScale: 100, rememberedBatchSize: 1024 });
    expect(larger.plan.learningRateScale).toBeCloseTo(4 * Math.sqrt(1.9765625 / 2.953125), 12);
  });

  it('lets the averages of Adam forget in step with the rate, up to four times as fast', () => {
    const rescaled = (from: number, size: number) =>
      withLearningRate(scripted([size]), {
        rule: 'sqrt',
        referenceBatchSize: 32,
        risePerStep: 10,
        moments: 'rescale',
      }).next(applied(plan(size, size, from)), told).plan;
    expect(rescaled(1, 96)).toEqual({
      ...plan(96, 96, Math.sqrt(3)),
      momentDecayScale: expect.closeTo(3, 12),
    });
    expect(rescaled(1, 512)).toMatchObject({ learningRateScale: 4, momentDecayScale: 4 });
    expect(rescaled(1, 8)).toMatchObject({ learningRateScale: 0.5, momentDecayScale: 0.25 });
    expect(coupled([64]).start(run()).plan).not.toHaveProperty('momentDecayScale');
    expect(() => coupled([32], { moments: 'rescale' })).toThrow('goes with the rule sqrt');
  });

  it('refuses options out of range', () => {
    expect(() => coupled([32], { referenceBatchSize: 0 })).toThrow('referenceBatchSize is 0');
    expect(() => coupled([32], { maxScale: 0 })).toThrow('maxScale is 0');
    expect(() => coupled([32], { risePerStep: 0 })).toThrow('risePerStep is 0');
    expect(() => coupled([32], { warmUpExamples: -1 })).toThrow('warmUpExamples is -1');
  });
});
