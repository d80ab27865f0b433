import type { AppliedStep, BatchController, Decision, Json } from '@batchwise/core';
import { observe } from './observe.ts';
import { mapRecovery } from './recovery.ts';
import { remember, rememberedBatchSize, rememberedFrom, type RememberedBatches } from './second-moment.ts';

/** What Adam's second-moment estimate holds beside the wrapped controller's own state. */
export type SecondMomentState<Inner extends Json> = {
  readonly inner: Inner;
  /** Null where the optimizer has no such estimate. */
  readonly estimate: {
    readonly decay: number;
    readonly batches: RememberedBatches;
    /** The batch size that was last told for it, examples; null before the first step. */
    readonly told: number | null;
  } | null;
};

/** What was told stands until it is off by so much, |ln|: 2 % of the rate at the most. */
const TOLERANCE = 0.04;
/** Part of it, so that no rounding breaks a promise of how long it stands. */
const SLACK = 0.01 * TOLERANCE;

/**
 * Adds to the evidence of a decision the batch size of Adam's second-moment estimate, for `withLearningRate` to make up for it:
 * after steps of 32 a step of 1,024 is divided by the noise of 32, for hundreds of steps. It goes by the run's
 * `secondMoment`, and does nothing where there is none. Put it inside of `withLearningRate` and outside of all that chooses the
 * batch. The plan stays as it is. Where a guard puts weights back, what it remembers is not put back with them.
 */
export function withSecondMoment<Inner extends Json>(
  inner: BatchController<Inner>,
): BatchController<SecondMomentState<Inner>> {
  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start(run) {
      const { secondMoment } = run;
      const estimate = secondMoment && {
        decay: secondMoment.decay,
        batches: rememberedFrom(secondMoment.updates, secondMoment.decay),
        told: null,
      };
      const decision = inner.start(run);
      return { ...decision, standsFor: 0, state: { inner: decision.state, estimate: estimate ?? null } };
    },
    next: (step, { inner: state, estimate }) => telling(inner.next(step, state), seen(estimate, [step])),
    observe: (steps, { inner: state, estimate }) => ({
      inner: observe(inner, steps, state),
      estimate: seen(estimate, steps),
    }),
    recover: (step, { inner: state, estimate }) =>
      mapRecovery(inner.recover(step, state), (decision) => telling(decision, estimate)),
  };
}

type Estimate = SecondMomentState<Json>['estimate'];

/** One step after the other, as `next` does, to the last digit. */
const seen = (estimate: Estimate, steps: readonly AppliedStep[]): Estimate =>
  estimate && {
    decay: estimate.decay,
    batches: steps.reduce(
      (batches, { examples }) => remember(batches, { batchSize: examples, decay: estimate.decay }),
      estimate.batches,
    ),
    told: estimate.told,
  };

function telling<Inner extends Json>(
  decision: Decision<Inner>,
  estimate: Estimate,
): Decision<SecondMomentState<Inner>> {
  const { plan, evidence, standsFor = 0, state: inner } = decision;
  if (!estimate || estimate.batches.weight === 0) return { ...decision, state: { inner, estimate } };
  const { decay, batches } = estimate;
  const { batchSize } = plan;
  const told = toTell(rememberedBatchSize(batches, batchSize), batchSize, estimate.told);
  const stands = (steps: number): boolean => {
    const later = rememberedBatchSize(remember(batches, { batchSize, decay, steps }), batchSize);
    return off(later, told) <= TOLERANCE - SLACK && off(later, batchSize) > TOLERANCE + SLACK;
  };
  return {
    ...decision,
    evidence: { ...evidence, rememberedBatchSize: told },
    state: { inner, estimate: { decay, batches, told } },
    standsFor: told === batchSize ? standsFor : lastOf(stands, standsFor),
  };
}

const off = (one: number, other: number): number => Math.abs(Math.log(one / other));

/** The size of the coming batch where that is near enough, what was told before where that is, else what is remembered. */
function toTell(remembered: number, batchSize: number, before: number | null): number {
  if (off(remembered, batchSize) <= TOLERANCE) return batchSize;
  return before !== null && off(remembered, before) <= TOLERANCE ? before : remembered;
}

/** Steps, `most` at the most, up to which it holds: all, or half or more of them. */
function lastOf(holds: (steps: number) => boolean, most: number): number {
  if (most === 0 || holds(most)) return most;
  let steps = 0;
  for (let tried = 1; tried < most && holds(tried); tried *= 2) steps = tried;
  return steps;
}
