import { describe, expect, it } from 'vitest';
import { fixed } from '../src/fixed.ts';
import { applied, failed, plan, run } from './step.ts';

describe('fixed', () => {
  it('runs one size from start to end and measures no gradient', () => {
    const controller = fixed(48);
    const start = controller.start(run());
    expect(start).toEqual({
      plan: { batchSize: 48, microBatchSize: 48, learningRateScale: 1 },
      reason: { code: 'start', text: 'The batch size is fixed at 48.', numbers: { batchSize: 48 } },
      measure: ['loss', 'seconds'],
      state: null,
    });
    const next = controller.next(applied(plan(48)), null);
    expect(next).toEqual({ ...start, reason: { ...start.reason, code: 'steady' } });
  });

  it('gives up on a failed step, saying at which batch and rate', () => {
    expect(fixed(48).recover(failed('nonFinite', plan(48, 48, 2.5)), null)).toMatchObject({
      kind: 'giveUp',
      message: expect.stringMatching(/batch of 48 .* 2\.5 times/),
    });
  });

  it.each([0, -1, 1.5, NaN, Infinity])('refuses %s', (size) => {
    expect(() => fixed(size)).toThrow(RangeError);
    expect(() => fixed(size)).toThrow(`batchSize is ${size}; give a whole number of at least 1.`);
  });
});
