import type {
  AppliedStep,
  BatchController,
  BatchPlan,
  Decision,
  FailedStep,
  Json,
  RunInfo,
} from '@batchwise/core';

export const plan = (batchSize: number, microBatchSize = batchSize, learningRateScale = 1): BatchPlan => ({
  batchSize,
  microBatchSize,
  learningRateScale,
});

/** A warm, complete step of this plan. */
export const applied = (of: BatchPlan, more: Partial<AppliedStep> = {}): AppliedStep => ({
  kind: 'applied',
  plan: of,
  examples: of.batchSize,
  microBatchSize: of.microBatchSize,
  totalExamples: of.batchSize,
  warm: true,
  ...more,
});

export const failed = (
  kind: FailedStep['kind'],
  of: BatchPlan,
  microBatchSize = of.microBatchSize,
): FailedStep => ({
  kind,
  plan: of,
  microBatchSize,
  cause: new Error('as the device said'),
});

export const run = (more: Partial<RunInfo> = {}): RunInfo => ({
  datasetSize: 60_000,
  plannedExamples: undefined,
  seed: 0,
  ...more,
});

/** Wants these sizes one after the other, whatever happens; the state is how many it has asked for. */
export function scripted(
  sizes: readonly number[],
  more: Partial<Pick<Decision<number>, 'firm' | 'reason' | 'measure' | 'evidence' | 'standsFor'>> = {},
): BatchController<number> {
  const decide = (asked: number): Decision<number> => ({
    plan: plan(sizes[Math.min(asked, sizes.length - 1)] ?? 1),
    reason: { code: 'scripted', text: 'As written.', numbers: {} },
    measure: ['seconds'],
    state: asked + 1,
    ...more,
  });
  return {
    name: 'scripted',
    measures: ['seconds'],
    start: () => decide(0),
    next: (_step, asked) => decide(asked),
    recover: ({ kind }, asked) =>
      kind === 'nonFinite' ? { kind: 'retry', decision: decide(asked) } : { kind: 'giveUp', message: 'no' },
  };
}

/** What JSON makes of a value. */
export const throughJson = <T extends Json>(value: T): T => JSON.parse(JSON.stringify(value));
