import type { BatchPlan, Measurement } from '@batchwise/core';

/** What each step reports, at no cost beyond waiting for the device. */
export const PLAIN: readonly Measurement[] = ['loss', 'seconds'];

/** What a step reports that is split to see how noisy the gradients are. */
export const WITH_GRADIENT: readonly Measurement[] = ['loss', 'seconds', 'gradient'];

/** All examples at once, at the configured learning rate. */
export const wholeBatch = (batchSize: number): BatchPlan => ({
  batchSize,
  microBatchSize: batchSize,
  learningRateScale: 1,
});

/** The plan with another batch size: in one piece if it was in one, else in micro-batches no larger than before. */
export const resized = (plan: BatchPlan, batchSize: number): BatchPlan => ({
  ...plan,
  batchSize,
  microBatchSize: plan.microBatchSize < plan.batchSize ? Math.min(plan.microBatchSize, batchSize) : batchSize,
});
