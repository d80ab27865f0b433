import { expect, it } from 'vitest';
import { resized, wholeBatch } from '../src/plan.ts';
import { plan } from './step.ts';

it('runs a whole batch at once', () => {
  expect(wholeBatch(96)).toEqual({ batchSize: 96, microBatchSize: 96, learningRateScale: 1 });
});

it.each([
  ['a batch in one piece stays in one', { from: plan(32, 32, 2), batchSize: 128, to: plan(128, 128, 2) }],
  ['micro-batches stay as they are', { from: plan(64, 16, 2), batchSize: 128, to: plan(128, 16, 2) }],
  ['micro-batches are no larger than the batch', { from: plan(64, 32, 2), batchSize: 8, to: plan(8, 8, 2) }],
])('%s', (_name, { from, batchSize, to }) => {
  expect(resized(from, batchSize)).toEqual(to);
});
