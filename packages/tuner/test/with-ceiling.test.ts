import { describe, expect, it } from 'vitest';
import { withCeiling, type CeilingOptions } from '../src/with-ceiling.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

const under = (options: CeilingOptions, ...sizes: number[]) => withCeiling(scripted(sizes), options);

describe('withCeiling', () => {
  it('leaves alone what fits, and everything while no ceiling is known', () => {
    const inner = scripted([100]).start(run());
    expect(under({ batchSize: 100 }, 100).start(run())).toEqual({
      ...inner,
      state: { inner: 1, ceiling: 100 },
    });
    expect(under({}, 1e6).start(run()).plan).toEqual(plan(1e6));
    expect(under({}, 1e6).start(run()).state).toEqual({ inner: 1, ceiling: null });
  });

  // ⌈256/100⌉ = 3 parts of ⌈256/3⌉ = 86; ⌈200/100⌉ = 2 parts of 100.
  it.each([
    [256, 86],
    [200, 100],
    [101, 51],
  ])('runs %s in parts of %s under a ceiling of 100', (batchSize, part) => {
    expect(under({ batchSize: 100 }, batchSize).start(run()).plan).toEqual(plan(batchSize, part));
  });

  it('explains the parts once', () => {
    const controller = under({ batchSize: 100 }, 256);
    const start = controller.start(run());
    expect(start.reason.text).toBe(
      'As written. At most 100 examples may be on the device at once, so it is run in 3 parts of 86.',
    );
    expect(start.reason.numbers).toEqual({ ceiling: 100, microBatchSize: 86 });
    expect(controller.next(applied(start.plan), start.state).reason.text).toBe('As written.');
  });

  it('cuts the batch where it may not accumulate', () => {
    const decision = under({ batchSize: 100, accumulate: false }, 256).start(run());
    expect(decision.plan).toEqual(plan(100));
    expect(decision.reason.code).toBe('ceiling');
    expect(decision.reason.text).toContain('At most 100 examples may be on the device, so the batch is 100.');
    expect(decision.reason.numbers).toEqual({ ceiling: 100, batchSize: 100 });
  });

  it('answers running out of memory with halves, for good', () => {
    const controller = under({}, 256);
    const recovery = controller.recover(failed('outOfMemory', plan(256, 256, 2)), {
      inner: 7,
      ceiling: null,
    });
    if (recovery.kind !== 'retry') throw new Error(recovery.message);
    const { decision } = recovery;
    expect(decision.plan).toEqual(plan(256, 128, 2));
    expect(decision.firm).toBe(true);
    expect(decision.measure).toEqual(['loss', 'seconds']);
    expect(decision.state).toEqual({ inner: 7, ceiling: 128 });
    expect(decision.reason).toEqual({
      code: 'out-of-memory',
      text:
        'A step with 256 examples on the device did not fit in memory. ' +
        'The same batch of 256 is tried again in 2 parts of 128.',
      numbers: { batchSize: 256, failedMicroBatchSize: 256, microBatchSize: 128, ceiling: 128 },
    });
    expect(controller.next(applied(decision.plan), decision.state).plan).toEqual(plan(256, 128));
  });

  it('halves down to single examples, then gives up', () => {
    const controller = under({}, 6);
    let state: { inner: number; ceiling: number | null } = { inner: 1, ceiling: null };
    let failing = plan(6);
    const parts: number[] = [];
    for (;;) {
      const recovery = controller.recover(failed('outOfMemory', failing), state);
      if (recovery.kind === 'giveUp') {
        expect(recovery.message).toContain('a single example');
        break;
      }
      ({ plan: failing, state } = recovery.decision);
      parts.push(failing.microBatchSize);
    }
    expect(parts).toEqual([3, 1]);
  });

  it('finishes the batch in hand in parts, then cuts, where it may not accumulate', () => {
    const controller = under({ accumulate: false }, 256);
    const recovery = controller.recover(failed('outOfMemory', plan(256)), { inner: 1, ceiling: null });
    if (recovery.kind !== 'retry') throw new Error(recovery.message);
    expect(recovery.decision.plan).toEqual(plan(256, 128));
    expect(controller.next(applied(recovery.decision.plan), recovery.decision.state).plan).toEqual(plan(128));
  });

  it('leaves other failures to the inner controller, under the same ceiling', () => {
    const controller = under({}, 256, 300);
    const recovery = controller.recover(failed('nonFinite', plan(256, 64)), { inner: 1, ceiling: 64 });
    expect(recovery).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(300, 60), state: { inner: 2, ceiling: 64 } },
    });
  });

  it('refuses a ceiling that is none', () => {
    expect(() => under({ batchSize: 0 }, 1)).toThrow('batchSize of the ceiling is 0');
  });
});
