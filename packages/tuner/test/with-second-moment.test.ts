import { describe, expect, it } from 'vitest';
import { remember, rememberedFrom } from '../src/second-moment.ts';
import { withSecondMoment } from '../src/with-second-moment.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

const NO_BATCHES = rememberedFrom(0, 0.9);
const adam = (decay = 0.999, updates = 0) => run({ secondMoment: { decay, updates } });

/** The decisions before each step of these sizes. */
function toldFor(sizes: readonly number[], decay?: number, standsFor = 50) {
  const controller = withSecondMoment(scripted(sizes, { standsFor, evidence: { noiseScale: 100 } }));
  let decision = controller.start(adam(decay));
  return sizes.map((size) => {
    const before = decision;
    decision = controller.next(applied(plan(size)), decision.state);
    return before;
  });
}
const told = (...args: Parameters<typeof toldFor>) =>
  toldFor(...args).map(({ evidence }) => evidence?.rememberedBatchSize);

describe('withSecondMoment', () => {
  it('tells nothing before the first step, and the size of all steps while there is one', () => {
    expect(told([32, 32, 32])).toEqual([undefined, 32, 32]);
  });

  it('tells the harmonic mean of the steps as Adam weighs them, to within 4 %', () => {
    const sizes = [...Array<number>(20).fill(32), ...Array<number>(400).fill(512)];
    const heard = told(sizes);
    let batches = NO_BATCHES;
    sizes.forEach((batchSize, step) => {
      const exact = 1 / batches.inverseBatchSize;
      if (step > 0) expect(Math.abs(Math.log((heard[step] ?? NaN) / exact))).toBeLessThanOrEqual(0.04);
      batches = remember(batches, { batchSize, decay: 0.999 });
    });
    // 20 steps of 32 and 1 of 512 all but equally weighed: 21 / (20/32 + 1/512).
    expect(heard[21]).toBeCloseTo(33.5, 1);
  });

  it('holds what it has told until that is off, and ends with the size itself', () => {
    const heard = told([...Array<number>(20).fill(32), ...Array<number>(900).fill(64)], 0.99);
    const changes = heard.filter((size, step) => size !== heard[step - 1]).slice(1);
    expect(changes.length).toBeGreaterThan(10);
    expect(changes.length).toBeLessThan(25);
    expect(heard.at(-1)).toBe(64);
  });

  it('stands as long as it says, and with the inner decision once nothing else is remembered', () => {
    const heard = toldFor([...Array<number>(20).fill(32), ...Array<number>(900).fill(64)], 0.99);
    let promises = 0;
    heard.forEach(({ standsFor = 0, evidence }, step) => {
      const later = heard.slice(step, step + 1 + standsFor);
      promises += later.length - 1;
      if (step > 20)
        for (const decision of later)
          expect(decision.evidence?.rememberedBatchSize).toBe(evidence?.rememberedBatchSize);
    });
    expect(promises).toBeGreaterThan(900);
    expect(heard.at(-1)?.standsFor).toBe(50);
  });

  it('promises no more than the inner decision, also where the size goes back', () => {
    const sizes = [200, 40, 30, 60, 25].flatMap((steps, i) => Array<number>(steps).fill(i % 2 ? 256 : 32));
    expect(toldFor(sizes, 0.99, 0).every(({ standsFor = 0 }) => standsFor === 0)).toBe(true);
    const heard = toldFor(sizes, 0.99, 3);
    heard.forEach(({ standsFor = 0, evidence, plan: { batchSize } }, step) => {
      expect(standsFor).toBeLessThanOrEqual(3);
      const later = heard.slice(step + 1, step + 1 + standsFor);
      // As long as the size stays, of which the script says nothing.
      const same = later.filter((decision) => decision.plan.batchSize === batchSize);
      if (step > 0 && same.length === later.length)
        for (const decision of later)
          expect(decision.evidence?.rememberedBatchSize).toBe(evidence?.rememberedBatchSize);
    });
  });

  it('says nothing where the optimizer has no such estimate', () => {
    const inner = scripted([64], { standsFor: 7, evidence: { noiseScale: 100 } });
    const controller = withSecondMoment(inner);
    const start = controller.start(run());
    const next = controller.next(applied(plan(64)), start.state);
    expect(next.evidence).toEqual({ noiseScale: 100 });
    expect(next.standsFor).toBe(7);
    expect(next.state.estimate).toBeNull();
  });

  it('goes by how many examples a step had, and by the updates that are in the estimate already', () => {
    const controller = withSecondMoment(scripted([64]));
    const short = applied(plan(64), { examples: 16 });
    expect(controller.next(short, controller.start(adam()).state).evidence?.rememberedBatchSize).toBeCloseTo(
      16,
      9,
    );
    const later = controller.next(short, controller.start(adam(0.5, 100)).state);
    expect(later.evidence?.rememberedBatchSize).toBeCloseTo(1 / (0.5 / 16 + 0.5 / 64), 9);
  });

  it('observes as it is asked', () => {
    const controller = withSecondMoment(scripted([64]));
    const steps = [64, 64, 32].map((size) => applied(plan(size)));
    const start = controller.start(adam(0.9)).state;
    const asked = steps.reduce((state, step) => controller.next(step, state).state, start);
    expect(controller.observe?.(steps, start).estimate?.batches).toEqual(asked.estimate?.batches);
  });

  it('tells it for a retry, and passes a surrender on', () => {
    const controller = withSecondMoment(scripted([64]));
    const { state } = controller.next(applied(plan(16)), controller.start(adam()).state);
    const again = controller.recover(failed('nonFinite', plan(64)), state);
    expect(again).toMatchObject({
      kind: 'retry',
      decision: { evidence: { rememberedBatchSize: expect.closeTo(16, 9) } },
    });
    expect(controller.recover(failed('outOfMemory', plan(64)), state).kind).toBe('giveUp');
  });
});
