import { describe, expect, it } from 'vitest';
import { giveUp, mapRecovery } from '../src/recovery.ts';
import { failed, plan, scripted } from './step.ts';

describe('giveUp', () => {
  it('says which loss is not finite, and what to try', () => {
    const { message } = giveUp(failed('nonFinite', plan(256, 128, 2.8284)));
    expect(message).toContain('The loss of a batch of 256 examples is not a finite number');
    expect(message).toContain('2.83 times its configured value');
    expect(message).toContain('Lower the learning rate');
  });

  it('says what did not fit, and what to try', () => {
    const { message } = giveUp(failed('outOfMemory', plan(256, 128)));
    expect(message).toContain('128 examples on the device (batch 256)');
    expect(message).toContain('withCeiling');
  });
});

describe('mapRecovery', () => {
  const controller = scripted([8]);
  const twice = (recovery: ReturnType<typeof controller.recover>) =>
    mapRecovery(recovery, (decision) => ({ ...decision, plan: plan(2 * decision.plan.batchSize) }));

  it('rewrites a retry', () => {
    expect(twice(controller.recover(failed('nonFinite', plan(8)), 0))).toMatchObject({
      kind: 'retry',
      decision: { plan: plan(16) },
    });
  });

  it('leaves a surrender alone', () => {
    expect(twice({ kind: 'giveUp', message: 'no' })).toEqual({ kind: 'giveUp', message: 'no' });
  });
});
