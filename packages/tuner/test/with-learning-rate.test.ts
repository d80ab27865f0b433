import { describe, expect, it } from 'vitest';
import { learningRateScale, withLearningRate, type LearningRateOptions } from '../src/with-learning-rate.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

describe('learningRateScale', () => {
  it.each([
    ['linear', 64, 2],
    ['linear', 128, 4],
    ['linear', 512, 4],
    ['linear', 8, 0.25],
    ['sqrt', 64, Math.SQRT2],
    ['sqrt', 128, 2],
    ['sqrt', 2048, 8],
    ['sqrt', 8192, 8],
    ['sqrt', 8, 0.5],
    ['none', 2048, 1],
    ['none', 8, 1],
  ] as const)('%s: a batch of %s where 32 is the reference gives %s', (rule, batchSize, scale) => {
    expect(learningRateScale(batchSize, { rule, referenceBatchSize: 32 })).toBeCloseTo(scale, 12);
  });

  it('has a cap of your choice, and none for a rule of your own', () => {
    expect(learningRateScale(512, { rule: 'linear', referenceBatchSize: 32, maxScale: 8 })).toBe(8);
    const cubeRoot = (growth: number) => Math.cbrt(growth);
    expect(learningRateScale(32 * 4096, { rule: cubeRoot, referenceBatchSize: 32 })).toBeCloseTo(16, 12);
    expect(learningRateScale(32 * 4096, { rule: cubeRoot, referenceBatchSize: 32, maxScale: 10 })).toBe(10);
  });

  it('refuses what a rule of your own may not answer', () => {
    const options = { rule: () => 0, referenceBatchSize: 32 };
    expect(() => learningRateScale(64, options)).toThrow(/answer for 2 times the batch is 0/);
  });
});

describe('withLearningRate', () => {
  const coupled = (sizes: readonly number[], more: Partial<LearningRateOptions> = {}, firm = false) =>
    withLearningRate(scripted(sizes, firm ? { firm } : {}), {
      rule: 'linear',
      referenceBatchSize: 32,
      ...more,
    });
  const scaleAfter = (from: number, ...args: Parameters<typeof coupled>) =>
    coupled(...args).next(applied(plan(32, 32, from)), 0).plan.learningRateScale;

  it('starts at the configured rate, or below for a smaller batch', () => {
    expect(coupled([32]).start(run()).plan).toEqual(plan(32, 32, 1));
    expect(coupled([128]).start(run()).plan).toEqual(plan(128, 128, 1));
    expect(coupled([8]).start(run()).plan).toEqual(plan(8, 8, 0.25));
  });

  it('rises by 5 % a step up to the rule', () => {
    expect(scaleAfter(1, [128])).toBeCloseTo(1.05, 12);
    expect(scaleAfter(1.05, [128])).toBeCloseTo(1.1025, 12);
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

  it('takes 29 steps from 1 to 4: ln 4 / ln 1.05 = 28.4', () => {
    const controller = coupled([128]);
    let decision = controller.start(run());
    let steps = 0;
    for (; decision.plan.learningRateScale < 4; steps += 1)
      decision = controller.next(applied(decision.plan), decision.state);
    expect(steps).toBe(29);
  });

  it('scales a retry by the batch that is retried, and passes a surrender on', () => {
    const controller = coupled([64]);
    expect(controller.recover(failed('nonFinite', plan(128, 128, 4)), 0)).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(64, 64, 2) },
    });
    expect(controller.recover(failed('outOfMemory', plan(128)), 0).kind).toBe('giveUp');
  });

  it('leaves all else to the inner controller', () => {
    const inner = scripted([32]);
    const outer = coupled([32]);
    expect(outer.start(run())).toEqual(inner.start(run()));
    expect(outer.name).toBe('scripted');
  });

  it('refuses options out of range', () => {
    expect(() => coupled([32], { referenceBatchSize: 0 })).toThrow('referenceBatchSize is 0');
    expect(() => coupled([32], { maxScale: 0 })).toThrow('maxScale is 0');
    expect(() => coupled([32], { risePerStep: 0 })).toThrow('risePerStep is 0');
  });
});
