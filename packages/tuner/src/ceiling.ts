import type { AppliedStep, FailedStep } from '@batchwise/core';

/**
 * What is known of the memory, in examples on the device at once. A step that fitted once and fails later says that
 * something else took memory, which may be given back; one that never fitted says that it is too large.
 */
export type Ceiling = {
  /** What is allowed now; null while nothing has failed and no bound was given. */
  readonly now: number | null;
  /** The most that has fitted in this run. */
  readonly fitted: number;
  /** The most that has fitted since memory last ran out. */
  readonly holds: number;
  /** Steps since the ceiling last moved. */
  readonly steps: number;
  /** Steps that must pass before more is tried again. */
  readonly patience: number;
};

/** Running out of memory can cost seconds of waiting in the allocator, so a second try is not for every few steps. */
const FIRST_PATIENCE = 200;

/** Before the first step. */
export const openCeiling = (now: number | null): Ceiling => ({
  now,
  fitted: 0,
  holds: 0,
  steps: 0,
  patience: FIRST_PATIENCE,
});

/** After a step that fitted; up to twice as much, but no more than once fitted, is allowed again after a while. */
export function afterFit(ceiling: Ceiling, { microBatchSize }: AppliedStep): Ceiling {
  const fitted = Math.max(ceiling.fitted, microBatchSize);
  const holds = Math.max(ceiling.holds, microBatchSize);
  const steps = ceiling.steps + 1;
  const { now, patience } = ceiling;
  if (now === null || now >= fitted) return { now, fitted, holds, steps: 0, patience };
  if (steps < patience) return { now, fitted, holds, steps, patience };
  return { now: Math.min(fitted, now * 2), fitted, holds, steps: 0, patience };
}

/** So many further steps that fit leave what is allowed as it is. */
export const steadySteps = ({ now, fitted, steps, patience }: Ceiling): number =>
  now === null || now >= fitted ? Infinity : patience - 1 - steps;

/**
 * After a step that did not fit: back to what holds, or to half of what failed. Each further failure doubles the
 * patience. Undefined when one example was too much.
 */
export function afterFailure(ceiling: Ceiling, { microBatchSize: failed }: FailedStep): Ceiling | undefined {
  if (failed <= 1) return undefined;
  const half = Math.floor(failed / 2);
  const knownToHold = ceiling.holds < failed && ceiling.holds > half;
  return {
    now: knownToHold ? ceiling.holds : half,
    fitted: ceiling.fitted,
    holds: knownToHold ? ceiling.holds : 0,
    steps: 0,
    patience: ceiling.now === null ? ceiling.patience : ceiling.patience * 2,
  };
}
