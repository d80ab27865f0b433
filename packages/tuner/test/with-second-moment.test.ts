import { describe, expect, it } from 'vitest';
import { NO_BATCHES, remember } from '../src/second-moment.ts';
import { withSecondMoment } from '../src/with-second-moment.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

/** The sizes told before each step of these sizes. */
function toldFor(sizes: readonly number[], decay = 0.999) {
  const controller = withSecondMoment(scripted(sizes, { standsFor: 50, evidence: { noiseScale: 100 } }), {
    decay,
  });
  let decision = controller.start(run());
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

  it('goes by how many examples a step had, and how fast the average forgets', () => {
    const controller = withSecondMoment(scripted([64]), { decay: 0.75 });
    const first = controller.next(applied(plan(64), { examples: 16 }), controller.start(run()).state);
    expect(first.evidence?.rememberedBatchSize).toBe(16);
    // Twice as fast: β2 = 0.5 and then (0.5 · 0.25/16 + 0.5/64) / 0.625.
    const hasty = applied({ ...plan(64), momentDecayScale: 2 });
    const second = controller.next(hasty, first.state);
    expect(second.state.batches.inverseBatchSize).toBeCloseTo(0.025, 12);
  });

  it('observes as it is asked', () => {
    const controller = withSecondMoment(scripted([64]), { decay: 0.9 });
    const steps = [64, 64, 32].map((size) => applied(plan(size)));
    const start = controller.start(run()).state;
    const asked = steps.reduce((state, step) => controller.next(step, state).state, start);
    expect(controller.observe?.(steps, start).batches).toEqual(asked.batches);
  });

  it('tells it for a retry, and passes a surrender on', () => {
    const controller = withSecondMoment(scripted([64]));
    const { state } = controller.next(applied(plan(16)), controller.start(run()).state);
    expect(controller.recover(failed('nonFinite', plan(64)), state)).toMatchObject({
      kind: 'retry',
      decision: { evidence: { rememberedBatchSize: 16 } },
    });
    expect(controller.recover(failed('outOfMemory', plan(64)), state).kind).toBe('giveUp');
  });

  it('refuses a decay that is no share', () => {
    expect(() => withSecondMoment(scripted([64]), { decay: 1 })).toThrow('decay is 1');
  });
});
