import type { AppliedStep, BatchController, Decision, Json, Reason } from '@batchwise/core';
import { checkAbove, checkCount } from './check.ts';
import { observe } from './observe.ts';
import { mapRecovery } from './recovery.ts';

/** What a move must overcome. */
export interface HysteresisOptions {
  /** A move must change the batch by more than this factor. Default 1.4. */
  readonly ratio?: number | undefined;
  /** Steps that a size runs before it may be left. Default 20. */
  readonly dwellSteps?: number | undefined;
}

/** How long the batch size that runs now has been running. */
export type HysteresisState<Inner extends Json> = {
  readonly inner: Inner;
  readonly batchSize: number;
  readonly steps: number;
};

/**
 * Holds the batch until there is reason enough to leave it: it ran for `dwellSteps` steps, and the move is larger than
 * `ratio` and than the uncertainty of the decision itself, |ln(target / held)| > max(ln ratio, logBatchSizeError). The
 * latter is taken from the decision's `evidence`, where it is given. Firm decisions pass as they are: those of `goodput` on a size
 * that it has just tried are, so that only moves without a trial are held back.
 * @throws RangeError unless `ratio` is at least 1 and `dwellSteps` a whole number of at least 0
 */
export function withHysteresis<Inner extends Json>(
  inner: BatchController<Inner>,
  { ratio = 1.4, dwellSteps = 20 }: HysteresisOptions = {},
): BatchController<HysteresisState<Inner>> {
  if (ratio !== 1) checkAbove(ratio, 'ratio', 1);
  checkCount(dwellSteps, 'dwellSteps', 0);

  const follow = (decision: Decision<Inner>, steps: number): Decision<HysteresisState<Inner>> => ({
    ...decision,
    state: { inner: decision.state, batchSize: decision.plan.batchSize, steps },
  });

  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start: (run) => follow(inner.start(run), 0),
    next(step, state) {
      const held = step.plan.batchSize;
      const steps = held === state.batchSize ? state.steps + 1 : 1;
      const decision = inner.next(step, state.inner);
      const target = decision.plan.batchSize;
      if (target === held) return follow(decision, steps);
      if (decision.firm) return follow(decision, 0);
      const tooSoon = steps < dwellSteps;
      const needed = Math.max(Math.log(ratio), decision.evidence?.logBatchSizeError ?? 0);
      if (!tooSoon && Math.abs(Math.log(target / held)) > needed) return follow(decision, 0);
      return {
        ...decision,
        plan: step.plan,
        reason: tooSoon ? soon(step, target, steps) : weak(step, target, Math.exp(needed)),
        state: { inner: decision.state, batchSize: held, steps },
      };
    },
    observe: (seen, { inner: state, batchSize, steps }) => ({
      inner: observe(inner, seen, state),
      batchSize,
      steps: steps + seen.length,
    }),
    recover: (step, { inner: state, steps }) =>
      mapRecovery(inner.recover(step, state), (decision) => follow(decision, steps)),
  };
}

function soon({ plan: { batchSize } }: AppliedStep, target: number, steps: number): Reason {
  return {
    code: 'weak-evidence',
    text:
      `No change: weak evidence. ${target} may be better, but ${batchSize} has run for only ${steps} steps; it stays ` +
      'until it had a fair trial.',
    numbers: { batchSize, targetBatchSize: target, steps },
  };
}

function weak({ plan: { batchSize } }: AppliedStep, target: number, neededRatio: number): Reason {
  return {
    code: 'weak-evidence',
    text:
      `No change: weak evidence. ${target} may be better than ${batchSize}, but what was measured is not certain enough for that move: ` +
      `only a change by more than a factor of ${Number(neededRatio.toPrecision(2))} would count.`,
    numbers: { batchSize, targetBatchSize: target, neededRatio },
  };
}
