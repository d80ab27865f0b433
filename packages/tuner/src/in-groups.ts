import type { AppliedStep, BatchController, BatchPlan, Decision, Json } from '@batchwise/core';
import { observe } from './observe.ts';
import { mapRecovery } from './recovery.ts';

/** What the wrapped controller has said last, and the steps that it has not been told of since. */
export type GroupedState<Inner extends Json> = {
  readonly inner: Inner;
  readonly said: Plain<Said>;
  readonly untold: readonly Plain<AppliedStep>[];
};

type Said = Omit<Decision<null>, 'state'>;

/** An interface as a type, which alone is known to survive JSON. */
type Plain<T> = T extends object ? { readonly [Key in keyof T]: Plain<T[Key]> } : T;

/**
 * Asks the controller less often: while a decision stands (`standsFor`), the steps wait, and are told together
 * before it can change, or with the first step that is out of the ordinary. The plans are the same. A chain of controllers
 * that is asked between two steps of a few milliseconds costs more than a percent of them. Put it outermost, and once more
 * around what a wrapper would ask more often than need be.
 */
export function inGroups<Inner extends Json>(
  inner: BatchController<Inner>,
): BatchController<GroupedState<Inner>> {
  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start: (run) => afresh(inner.start(run)),
    next(step, state) {
      const { said, untold } = state;
      const left = (said.standsFor ?? 0) - untold.length;
      if (left <= 0 || !isOrdinary(step, said.plan)) return afresh(inner.next(step, told(inner, state)));
      return decisionOf(said, { inner: state.inner, said, untold: [...untold, step] }, left - 1);
    },
    observe: (steps, { inner: state, said, untold }) => ({
      inner: state,
      said,
      untold: [...untold, ...steps],
    }),
    recover: (step, state) => mapRecovery(inner.recover(step, told(inner, state)), afresh),
  };
}

function afresh<Inner extends Json>(decision: Decision<Inner>): Decision<GroupedState<Inner>> {
  const said = saidIn(decision);
  return decisionOf(said, { inner: decision.state, said, untold: [] }, said.standsFor ?? 0);
}

function decisionOf<Inner extends Json>(
  { plan, reason, measure, firm, evidence, snapshot }: Plain<Said>,
  state: GroupedState<Inner>,
  standsFor: number,
): Decision<GroupedState<Inner>> {
  const decision: Mutable<Decision<GroupedState<Inner>>> = { plan, reason, measure, state, standsFor };
  if (firm !== undefined) decision.firm = firm;
  if (evidence) decision.evidence = evidence;
  if (snapshot) decision.snapshot = snapshot;
  return decision;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Field by field: what is left over by `...` is a slow object, and it is copied at each step. */
const saidIn = ({
  plan,
  reason,
  measure,
  firm,
  evidence,
  snapshot,
  standsFor = 0,
}: Decision<Json>): Plain<Said> => ({
  plan,
  reason,
  measure,
  // A copy of the weights is to be taken once.
  standsFor: snapshot ? 0 : standsFor,
  ...(firm !== undefined && { firm }),
  ...(evidence && { evidence }),
  ...(snapshot && { snapshot }),
});

/** What it remembers once it is told of the steps that waited. */
const told = <Inner extends Json>(
  controller: BatchController<Inner>,
  { inner, untold }: GroupedState<Inner>,
): Inner => (untold.length > 0 ? observe(controller, untold, inner) : inner);

const isOrdinary = ({ plan, warm, examples, gradient, memory }: AppliedStep, expected: BatchPlan): boolean =>
  warm &&
  gradient === undefined &&
  memory === undefined &&
  examples === plan.batchSize &&
  plan.batchSize === expected.batchSize &&
  plan.microBatchSize === expected.microBatchSize &&
  plan.learningRateScale === expected.learningRateScale;
