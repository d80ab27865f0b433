import { describe, expect, it } from 'vitest';
import { withCeiling, type CeilingOptions } from '../src/with-ceiling.ts';
import type { Ceiling } from '../src/ceiling.ts';
import { applied, failed, plan, run, scripted, throughJson } from './step.ts';

const ceilingOf = (now: number | null, more: Partial<Ceiling> = {}): Ceiling => ({
  now,
  fitted: 0,
  holds: 0,
  steps: 0,
  patience: 200,
  ...more,
});
const under = (options: CeilingOptions, ...sizes: number[]) => withCeiling(scripted(sizes), options);

describe('withCeiling', () => {
  it('leaves alone what fits, and everything while no ceiling is known', () => {
    const inner = scripted([100]).start(run());
    expect(under({ batchSize: 100 }, 100).start(run())).toEqual({
      ...inner,
      state: { inner: 1, ceiling: ceilingOf(100) },
      standsFor: 0,
    });
    expect(under({}, 1e6).start(run()).plan).toEqual(plan(1e6));
    expect(under({}, 1e6).start(run()).state).toEqual({ inner: 1, ceiling: ceilingOf(null) });
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

  it('answers running out of memory with halves', () => {
    const controller = under({}, 256);
    const recovery = controller.recover(failed('outOfMemory', plan(256, 256, 2)), {
      inner: 7,
      ceiling: ceilingOf(null),
    });
    if (recovery.kind !== 'retry') throw new Error(recovery.message);
    const { decision } = recovery;
    expect(decision.plan).toEqual(plan(256, 128, 2));
    expect(decision.firm).toBe(true);
    expect(decision.measure).toEqual(['loss', 'seconds']);
    expect(decision.state).toEqual({ inner: 7, ceiling: ceilingOf(128) });
    expect(decision.reason).toEqual({
      code: 'out-of-memory',
      text:
        'A step with 256 examples on the device did not fit in memory. ' +
        'The same examples are tried again with at most 128 on the device: a batch of 256 is 2 parts of 128.',
      numbers: { batchSize: 256, failedMicroBatchSize: 256, microBatchSize: 128, ceiling: 128 },
    });
    expect(controller.next(applied(decision.plan), decision.state).plan).toEqual(plan(256, 128));
  });

  it('halves down to single examples, then gives up', () => {
    const controller = under({}, 6);
    let state = { inner: 1, ceiling: ceilingOf(null) };
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
    const recovery = controller.recover(failed('outOfMemory', plan(256)), {
      inner: 1,
      ceiling: ceilingOf(null),
    });
    if (recovery.kind !== 'retry') throw new Error(recovery.message);
    expect(recovery.decision.plan).toEqual(plan(256, 128));
    expect(controller.next(applied(recovery.decision.plan), recovery.decision.state).plan).toEqual(plan(128));
  });

  it('leaves other failures to the inner controller, under the same ceiling', () => {
    const controller = under({}, 256, 300);
    const recovery = controller.recover(failed('nonFinite', plan(256, 64)), {
      inner: 1,
      ceiling: ceilingOf(64),
    });
    expect(recovery).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(300, 60), state: { inner: 2, ceiling: ceilingOf(64) } },
    });
  });

  it('refuses a ceiling that is none', () => {
    expect(() => under({ batchSize: 0 }, 1)).toThrow('batchSize of the ceiling is 0');
  });

  /** Runs a batch of 256 for so many steps on a device where `fits` may change; answers the parts that ran. */
  function runOn(fits: (step: number) => number, steps: number): { parts: number[]; failures: number[] } {
    const controller = under({}, 256);
    let decision = controller.start(run());
    const parts: number[] = [];
    const failures: number[] = [];
    while (parts.length < steps) {
      const { plan: now } = decision;
      if (now.microBatchSize > fits(parts.length)) {
        failures.push(parts.length);
        const recovery = controller.recover(failed('outOfMemory', now), throughJson(decision.state));
        if (recovery.kind === 'giveUp') throw new Error(recovery.message);
        ({ decision } = recovery);
      } else {
        parts.push(now.microBatchSize);
        decision = controller.next(applied(now), throughJson(decision.state));
      }
    }
    return { parts, failures };
  }

  it('never tries again what never fitted', () => {
    const { parts, failures } = runOn(() => 100, 3000);
    expect(failures).toEqual([0, 0]);
    expect(new Set(parts)).toEqual(new Set([64]));
  });

  it('goes up again after 200 steps when what took the memory is gone', () => {
    const { parts, failures } = runOn((step) => (step >= 50 && step < 150 ? 130 : 300), 400);
    expect(failures).toEqual([50]);
    expect(parts.slice(0, 50)).toEqual(Array(50).fill(256));
    expect(parts.slice(50, 250)).toEqual(Array(200).fill(128));
    expect(parts.slice(250)).toEqual(Array(150).fill(256));
  });

  it('waits twice as long after each further failure while the memory stays taken', () => {
    const { parts, failures } = runOn((step) => (step < 10 ? 300 : 130), 2000);
    // 10, then 200 steps later, then 400, then 800.
    expect(failures).toEqual([10, 210, 610, 1410]);
    expect(new Set(parts.slice(10))).toEqual(new Set([128]));
  });

  it('says why it tries more again', () => {
    const controller = under({}, 256);
    const state = { inner: 1, ceiling: ceilingOf(100, { fitted: 256, holds: 86, steps: 199 }) };
    const { plan: next, reason, firm } = controller.next(applied(plan(256, 86)), state);
    expect(next).toEqual(plan(256, 128));
    expect(firm).toBe(true);
    expect(reason.text).toBe(
      '200 steps have fitted since memory ran out, and 256 examples fitted before: up to 200 are tried on the ' +
        'device again. At most 200 examples may be on the device at once, so it is run in 2 parts of 128.',
    );
    expect(reason.numbers).toEqual({ steps: 200, ceilingBefore: 100, ceiling: 200, microBatchSize: 128 });
  });

  it('falls back to what holds, not to half, and halves what was really on the device', () => {
    const controller = under({}, 256);
    const back = controller.recover(failed('outOfMemory', plan(256, 128)), {
      inner: 1,
      ceiling: ceilingOf(200, { fitted: 256, holds: 100 }),
    });
    expect(back).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(256, 86), state: { ceiling: { now: 100 } } },
    });
    // A short batch of 20 of a plan of 256: half of 20 is what can be tried.
    const short = controller.recover(failed('outOfMemory', plan(256), 20), {
      inner: 1,
      ceiling: ceilingOf(null),
    });
    expect(short).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(256, 10), state: { ceiling: { now: 10 } } },
    });
  });
});
