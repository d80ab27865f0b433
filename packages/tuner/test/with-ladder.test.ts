import { describe, expect, it } from 'vitest';
import { withLadder } from '../src/with-ladder.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

describe('withLadder', () => {
  it('snaps each decision to the nearest rung', () => {
    const controller = withLadder(scripted([50, 95, 1000]), [256, 64, 128]);
    const start = controller.start(run());
    expect(start.plan).toEqual(plan(64));
    const second = controller.next(applied(start.plan), start.state);
    expect(second.plan).toEqual(plan(128));
    expect(controller.next(applied(second.plan), second.state).plan).toEqual(plan(256));
  });

  it('keeps name, reason, measurements and state', () => {
    const inner = scripted([50]);
    expect(withLadder(inner, [64]).start(run())).toEqual({ ...inner.start(run()), plan: plan(64) });
    expect(withLadder(inner, [64]).name).toBe('scripted');
  });

  it('lets a firm decision pass', () => {
    expect(withLadder(scripted([50], { firm: true }), [64]).start(run()).plan).toEqual(plan(50));
  });

  it('snaps a retry, and passes a surrender on', () => {
    const controller = withLadder(scripted([50]), [64]);
    expect(controller.recover(failed('nonFinite', plan(64)), 1)).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(64) },
    });
    expect(controller.recover(failed('outOfMemory', plan(64)), 1).kind).toBe('giveUp');
  });

  it('refuses an empty ladder and sizes that are none', () => {
    expect(() => withLadder(scripted([50]), [])).toThrow('sizes is empty');
    expect(() => withLadder(scripted([50]), [64, 0.5])).toThrow('a size of the ladder is 0.5');
  });
});
