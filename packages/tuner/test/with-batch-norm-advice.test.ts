import { expect, it } from 'vitest';
import { batchNormAdvice, withBatchNormAdvice } from '../src/with-batch-norm-advice.ts';
import { withCeiling } from '../src/with-ceiling.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

it('advises below 16 examples at a time, or below what is given', () => {
  expect(batchNormAdvice(16)).toBeUndefined();
  expect(batchNormAdvice(15)).toBe(
    'Batch normalisation sees only 15 examples at a time, and below 16 its statistics are noisy: free memory for larger ' +
      'micro-batches, normalise by group or by layer, or freeze its statistics.',
  );
  expect(batchNormAdvice(31, 32)).toContain('below 32');
});

it('looks at the micro-batch, not the batch, and says it once', () => {
  const controller = withBatchNormAdvice(withCeiling(scripted([8, 64, 64, 256]), { batchSize: 12 }));
  const start = controller.start(run());
  expect(start.reason.text).toContain('only 8 examples');
  // 64 in six parts of 11.
  const grown = controller.next(applied(start.plan), start.state);
  expect(grown.plan).toEqual(plan(64, 11));
  expect(grown.reason.text).toContain('only 11 examples');
  expect(grown.reason.numbers).toMatchObject({ microBatchSize: 11, leastMicroBatchSize: 16 });
  const still = controller.next(applied(grown.plan), grown.state);
  expect(still.reason.text).not.toContain('Batch normalisation');
});

it('leaves large micro-batches and the plan alone, and advises after memory ran out', () => {
  const inner = withCeiling(scripted([64]));
  const controller = withBatchNormAdvice(inner, { leastMicroBatchSize: 40 });
  const start = controller.start(run());
  expect(start).toEqual(inner.start(run()));
  const recovery = controller.recover(failed('outOfMemory', plan(64)), start.state);
  expect(recovery).toMatchObject({
    kind: 'retry',
    decision: { plan: plan(64, 32), reason: { text: expect.stringContaining('only 32 examples') } },
  });
  expect(() => withBatchNormAdvice(inner, { leastMicroBatchSize: 0 })).toThrow('leastMicroBatchSize is 0');
});
