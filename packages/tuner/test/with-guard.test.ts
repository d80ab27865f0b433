import type { AppliedStep, BatchController, Decision } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { withGuard, type GuardOptions, type GuardState } from '../src/with-guard.ts';
import { withLearningRate } from '../src/with-learning-rate.ts';
import { applied, failed, plan, run, scripted, throughJson } from './step.ts';

/** What is decided after each of these losses. */
function afterLosses(
  losses: readonly number[],
  controller: BatchController<GuardState<number>>,
): Decision<GuardState<number>>[] {
  const decisions = [controller.start(run())];
  for (const loss of losses) {
    const now = decisions.at(-1);
    if (now) decisions.push(controller.next(applied(now.plan, { loss }), throughJson(now.state)));
  }
  return decisions;
}

const calm = (count: number, level = 1): number[] => Array(count).fill(level);
const guarded = (options: GuardOptions = {}, sizes: readonly number[] = [32, 256]) =>
  withGuard(scripted(sizes), options);
const wishes = (decisions: readonly Decision<GuardState<number>>[], wish: Decision<null>['snapshot']) =>
  decisions.flatMap(({ snapshot }, i) => (snapshot === wish ? [i] : []));

describe('withGuard', () => {
  it('copies the weights after 20 steps and then each hundred, while the loss is as usual', () => {
    const usual = afterLosses(calm(250), guarded());
    expect(wishes(usual, 'take')).toEqual([20, 120, 220]);
    expect(wishes(usual, 'keep')).toEqual([31, 131, 231]);
    // None is taken while another waits.
    expect(wishes(afterLosses(calm(60), guarded({ everySteps: 10 })), 'take')).toEqual([11, 23, 35, 47, 59]);
    // Between steps 112 and 150 the loss is higher, too little for an explosion and too much to be copied.
    const bump = [...calm(112), ...calm(38, 1.9), ...calm(50)];
    const [, second = 0] = wishes(afterLosses(bump, guarded()), 'take');
    expect(second).toBe(156);
  });

  it('keeps a copy once the losses of eleven steps after it are as usual', () => {
    // A rise that begins 6 steps after the copy of step 20 leaves most of its eleven losses high, one step later it does not.
    const from = (steps: number) => [...calm(20 + steps), ...calm(20, 1.9), ...calm(80)];
    expect(wishes(afterLosses(from(5), guarded()), 'keep')).toEqual([51]);
    expect(wishes(afterLosses(from(6), guarded()), 'keep')).toEqual([31]);
  });

  it.each([0, 1, 5])('does not keep a copy of %i steps into an explosion', (steps) => {
    const decisions = afterLosses([...calm(120 - steps), ...calm(30, 9)], guarded());
    const at = 120 - steps + 6;
    expect(wishes(decisions, 'take')).toEqual([20, 120, at + 20]);
    expect(wishes(decisions, 'keep')).toEqual([31]);
    expect(wishes(decisions, 'restore')).toEqual([at]);
    expect(decisions[at]?.state).toMatchObject({ isTaken: false, hasCopy: false, stepsSinceCopy: 0 });
  });

  it('puts them back when the loss explodes, and bounds rate and batch', () => {
    const decisions = afterLosses([...calm(30), ...calm(20, 9)], guarded());
    const [at = 0, ...others] = wishes(decisions, 'restore');
    // Six of eleven.
    expect([at, others]).toEqual([36, []]);
    const decision = decisions[at];
    expect(decision?.firm).toBe(true);
    expect(decision?.reason).toMatchObject({
      code: 'exploded',
      text:
        'The loss of the last steps is about 9 where it was as low as 1, as when the learning rate is too high. The last ' +
        'good weights are put back, and the run goes on at a lower rate.',
    });
    expect(decision?.plan).toEqual(plan(128, 128, 0.5));
    expect(decisions[at + 1]?.plan).toEqual(plan(128, 128, 0.5));
    expect(decisions[at]?.state).toMatchObject({ restores: 1, losses: { latest: [] } });
  });

  it('pushes the batch no lower than its start, and the rate lower each time', () => {
    const twice = [...calm(30), ...calm(6, 9), ...calm(30), ...calm(6, 9), ...calm(5)];
    const decisions = afterLosses(twice, guarded({}, [32, 48]));
    expect(wishes(decisions, 'restore')).toHaveLength(2);
    expect(decisions.at(-1)?.plan).toEqual(plan(32, 32, 0.25));
  });

  it('takes its course after so many restorations', () => {
    const often = Array.from({ length: 4 }, () => [...calm(30), ...calm(6, 9)]).flat();
    expect(wishes(afterLosses(often, guarded({ maxRestores: 2 })), 'restore')).toHaveLength(2);
  });

  it('puts weights back where a loss is not finite, and tries the same examples again', () => {
    const controller = withGuard(scripted([256]));
    const { state } = afterLosses(calm(3), controller).at(-1) ?? controller.start(run());
    const stuck: GuardState<number> = { ...state, startBatchSize: 32 };
    const inner = { recover: () => ({ kind: 'giveUp', message: 'no' }) as const };
    const giving = withGuard({ ...scripted([256]), ...inner });
    const recovery = giving.recover(failed('nonFinite', plan(256, 256, 2)), stuck);
    expect(recovery).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(128, 128, 1), snapshot: 'restore', firm: true, measure: ['loss'] },
    });
    if (recovery.kind !== 'retry') throw new Error('gave up');
    expect(recovery.decision.reason.text).toBe(
      'The loss of a batch of 256 is not a finite number, with the learning rate at 2 of its configured value. The last ' +
        'good weights are put back, and the run goes on at a lower rate.',
    );
    // Right after that, with nothing applied in between, it is the examples.
    const again = giving.recover(failed('nonFinite', plan(128)), recovery.decision.state);
    expect(again).toMatchObject({
      kind: 'giveUp',
      message: expect.stringContaining('not a finite number at weights that were fine'),
    });
    const later = giving.next(applied(plan(128), { loss: 1 }), recovery.decision.state).state;
    expect(giving.recover(failed('nonFinite', plan(128)), later).kind).toBe('retry');
    expect(giving.recover(failed('nonFinite', plan(128)), { ...later, restores: 8 })).toEqual({
      kind: 'giveUp',
      message: 'no',
    });
  });

  it('lowers what the averages forget by with the rate', () => {
    const giving = withGuard({ ...scripted([64]), recover: () => ({ kind: 'giveUp', message: 'no' }) });
    const rescaled = (rate: number, moments: number) => ({
      ...plan(64, 64, rate),
      momentDecayScale: moments,
    });
    const { state } = giving.start(run());
    const recovery = giving.recover(failed('nonFinite', rescaled(3, 4)), { ...state, startBatchSize: 64 });
    // 1.5² is less than 4.
    expect(recovery).toMatchObject({ decision: { plan: rescaled(1.5, 2.25) } });
  });

  it('leaves memory, and what the inner controller can mend, to the inner controller', () => {
    const controller = guarded();
    const { state } = controller.start(run());
    expect(controller.recover(failed('outOfMemory', plan(32)), state).kind).toBe('giveUp');
    const retried = controller.recover(failed('nonFinite', plan(32)), state);
    expect(retried).toMatchObject({ kind: 'retry', decision: { plan: plan(256) } });
  });

  it('asks for the loss, and says that it restores', () => {
    const controller = guarded();
    expect(controller.restores).toBe(true);
    expect(controller.measures).toEqual(['seconds', 'loss']);
    expect(controller.start(run()).measure).toEqual(['seconds', 'loss']);
    const seen = withGuard(scripted([32], { measure: ['loss'] })).start(run());
    expect(seen.measure).toEqual(['loss']);
  });

  it('bounds the rate that the batch would have: the rise goes on from the lower one', () => {
    const coupled = withGuard(withLearningRate(scripted([64]), { rule: 'linear', referenceBatchSize: 32 }));
    let decision = coupled.start(run());
    const losses = [...calm(40), ...calm(6, 9), ...calm(40)];
    for (const loss of losses) {
      const step: AppliedStep = applied(decision.plan, { loss });
      decision = coupled.next(step, decision.state);
    }
    expect(decision.plan).toEqual(plan(64, 64, 1));
  });

  it('refuses options out of range', () => {
    expect(() => guarded({ everySteps: 0 })).toThrow('everySteps is 0');
    expect(() => guarded({ backOff: 1 })).toThrow('backOff is 1');
    expect(() => guarded({ backOff: 0 })).toThrow('backOff is 0');
    expect(() => guarded({ maxRestores: 0 })).toThrow('maxRestores is 0');
  });
});
