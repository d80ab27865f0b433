import type { BatchController, Decision, Json } from '@batchwise/core';
import { checkCount } from './check.ts';
import { nearestRung } from './ladder.ts';
import { observe } from './observe.ts';
import { resized } from './plan.ts';
import { mapRecovery } from './recovery.ts';

/**
 * Snaps each batch size to the nearest of a few, in log distance, so that a run settles on few shapes. Firm decisions
 * pass as they are: the sizes that `goodput` and `knee` try are powers of two, whatever `sizes` says.
 * @param sizes the sizes allowed, in any order, such as `ladder({ min: 32, max: 4096 })`
 * @throws RangeError where `sizes` is empty or holds anything but whole numbers of at least 1
 */
export function withLadder<State extends Json>(
  inner: BatchController<State>,
  sizes: readonly number[],
): BatchController<State> {
  if (sizes.length === 0) throw new RangeError('sizes is empty; give at least one batch size.');
  for (const size of sizes) checkCount(size, 'a size of the ladder');
  const rungs = [...sizes].sort((a, b) => a - b);

  const snapped = (decision: Decision<State>): Decision<State> =>
    decision.firm
      ? decision
      : { ...decision, plan: resized(decision.plan, nearestRung(rungs, decision.plan.batchSize)) };

  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start: (run) => snapped(inner.start(run)),
    next: (step, state) => snapped(inner.next(step, state)),
    observe: (steps, state) => observe(inner, steps, state),
    recover: (step, state) => mapRecovery(inner.recover(step, state), snapped),
  };
}
