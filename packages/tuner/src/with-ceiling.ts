import type { BatchController, BatchPlan, Decision, FailedStep, Json, Recovery } from '@batchwise/core';
import { afterFailure, afterFit, openCeiling, steadySteps, type Ceiling } from './ceiling.ts';
import { checkCount } from './check.ts';
import { observe } from './observe.ts';
import { PLAIN } from './plan.ts';
import { mapRecovery } from './recovery.ts';

/** What fits in memory. */
export interface CeilingOptions {
  /** Examples that fit on the device at once; not given where only a failure will tell. */
  readonly batchSize?: number | undefined;
  /** True where a larger batch may be assembled from micro-batches that fit; false caps the batch. Default true. */
  readonly accumulate?: boolean | undefined;
}

/** What is known of the memory beside the wrapped controller's own state. */
export type CeilingState<Inner extends Json> = { readonly inner: Inner; readonly ceiling: Ceiling };

/**
 * Keeps what is on the device at once below what fits: a larger batch is run in equal parts whose gradients are
 * averaged, or, with `accumulate: false`, is cut to the ceiling. When a step runs out of memory all the same, the
 * same examples are tried again in smaller parts (an unaccumulated batch follows with the next step), and the ceiling
 * stays down. Only what had fitted before is tried again, 200 steps later (twice as many after each further failure),
 * since then it was other work that took the memory. It gives up when not even one example fits.
 *
 * Put it outside of what chooses the size and inside `withLearningRate`.
 * @throws RangeError unless `batchSize` is a whole number of at least 1
 */
export function withCeiling<Inner extends Json>(
  inner: BatchController<Inner>,
  { batchSize, accumulate = true }: CeilingOptions = {},
): BatchController<CeilingState<Inner>> {
  if (batchSize !== undefined) checkCount(batchSize, 'batchSize of the ceiling');

  /** `before` is the plan that ran last; the split is only explained when it is new. */
  function under(
    decision: Decision<Inner>,
    ceiling: Ceiling,
    before?: BatchPlan,
  ): Decision<CeilingState<Inner>> {
    const { standsFor = 0 } = decision;
    const held = {
      ...decision,
      state: { inner: decision.state, ceiling },
      standsFor: Math.min(standsFor, steadySteps(ceiling)),
    };
    if (ceiling.now === null || decision.plan.microBatchSize <= ceiling.now) return held;
    return accumulate ? split(held, ceiling.now, before) : cut(held, ceiling.now);
  }

  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start: (run) => under(inner.start(run), openCeiling(batchSize ?? null)),
    next(step, state) {
      const ceiling = afterFit(state.ceiling, step);
      const decision = inner.next(step, state.inner);
      const isHigher = (ceiling.now ?? 0) > (state.ceiling.now ?? Infinity);
      return under(isHigher ? explainRise(decision, state.ceiling, ceiling) : decision, ceiling, step.plan);
    },
    observe: (steps, state) => ({
      inner: observe(inner, steps, state.inner),
      ceiling: steps.reduce(afterFit, state.ceiling),
    }),
    recover(step, state) {
      if (step.kind === 'outOfMemory') return runSmaller(step, state);
      return mapRecovery(inner.recover(step, state.inner), (decision) =>
        under(decision, state.ceiling, step.plan),
      );
    },
  };
}

/** As equal as they come: one shape where the batch divides, else two, and no more launches than must be. */
const equalParts = (
  batchSize: number,
  ceiling: number,
): { readonly parts: number; readonly size: number } => {
  const parts = Math.ceil(batchSize / ceiling);
  return { parts, size: Math.ceil(batchSize / parts) };
};

function split<State extends Json>(
  decision: Decision<State>,
  ceiling: number,
  before: BatchPlan | undefined,
): Decision<State> {
  const { plan, reason } = decision;
  const { parts, size } = equalParts(plan.batchSize, ceiling);
  const known = before?.batchSize === plan.batchSize && before.microBatchSize === size;
  return {
    ...decision,
    plan: { ...plan, microBatchSize: size },
    reason: known
      ? reason
      : {
          ...reason,
          text: `${reason.text} At most ${ceiling} examples may be on the device at once, so it is run in ${parts} parts of ${size}.`,
          numbers: { ...reason.numbers, ceiling, microBatchSize: size },
        },
  };
}

function cut<State extends Json>(decision: Decision<State>, ceiling: number): Decision<State> {
  const { plan, reason } = decision;
  const batchSize = Math.min(plan.batchSize, ceiling);
  return {
    ...decision,
    plan: { ...plan, batchSize, microBatchSize: batchSize },
    // A size that is tried is not the one that runs, which is known with the next step.
    standsFor: 0,
    reason: {
      code: 'ceiling',
      text: `${reason.text} At most ${ceiling} examples may be on the device, so the batch is ${batchSize}.`,
      numbers: { ...reason.numbers, ceiling, batchSize },
    },
  };
}

/** Only where the plan goes beyond the old ceiling; elsewhere nobody will notice. */
function explainRise<State extends Json>(
  decision: Decision<State>,
  before: Ceiling,
  { now }: Ceiling,
): Decision<State> {
  if (now === null || decision.plan.microBatchSize <= (before.now ?? Infinity)) return decision;
  return {
    ...decision,
    reason: {
      code: 'memory-again',
      text:
        `${before.patience} steps have fitted since memory ran out, and ${before.fitted} examples fitted before: ` +
        `up to ${now} are tried on the device again.`,
      numbers: { steps: before.patience, ceilingBefore: before.now ?? 0, ceiling: now },
    },
    firm: true,
    standsFor: 0,
  };
}

function runSmaller<Inner extends Json>(
  step: FailedStep,
  state: CeilingState<Inner>,
): Recovery<CeilingState<Inner>> {
  const { plan, microBatchSize: failed } = step;
  const ceiling = afterFailure(state.ceiling, step);
  if (ceiling?.now == null)
    return {
      kind: 'giveUp',
      message:
        'A step with a single example on the device did not fit in memory. No batch size will help: make the model ' +
        'or its inputs smaller, free memory that other programs use, or take a device with more.',
    };
  const { parts, size } = equalParts(plan.batchSize, ceiling.now);
  return {
    kind: 'retry',
    decision: {
      plan: { ...plan, microBatchSize: size },
      reason: {
        code: 'out-of-memory',
        text:
          `A step with ${failed} examples on the device did not fit in memory. ` +
          `The same examples are tried again with at most ${ceiling.now} on the device: ` +
          `a batch of ${plan.batchSize} is ${parts} parts of ${size}.`,
        numbers: {
          batchSize: plan.batchSize,
          failedMicroBatchSize: failed,
          microBatchSize: size,
          ceiling: ceiling.now,
        },
      },
      measure: PLAIN,
      state: { inner: state.inner, ceiling },
      firm: true,
    },
  };
}
