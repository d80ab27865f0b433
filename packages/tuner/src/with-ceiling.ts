import type { BatchController, BatchPlan, Decision, FailedStep, Json, Recovery } from '@batchwise/core';
import { checkCount } from './check.ts';
import { PLAIN } from './plan.ts';
import { mapRecovery } from './recovery.ts';

/** What fits in memory. */
export interface CeilingOptions {
  /** Examples that fit on the device at once; not given where only a failure will tell. */
  readonly batchSize?: number | undefined;
  /** True where a larger batch may be assembled from micro-batches that fit; false caps the batch. Default true. */
  readonly accumulate?: boolean | undefined;
}

/** The ceiling now, in examples on the device at once; null while none is known. */
export type CeilingState<Inner extends Json> = { readonly inner: Inner; readonly ceiling: number | null };

/**
 * Keeps what is on the device at once below what fits: a larger batch is run in equal parts whose gradients are
 * averaged, or, with `accumulate: false`, is cut to the ceiling. When a step runs out of memory all the same, the
 * ceiling becomes half of what failed, for good, and the same examples are tried again in smaller parts (an
 * unaccumulated batch follows with the next step). It gives up when not even one example fits.
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
    ceiling: number | null,
    before?: BatchPlan,
  ): Decision<CeilingState<Inner>> {
    const state = { inner: decision.state, ceiling };
    if (ceiling === null || decision.plan.microBatchSize <= ceiling) return { ...decision, state };
    return accumulate ? split({ ...decision, state }, ceiling, before) : cut({ ...decision, state }, ceiling);
  }

  return {
    name: inner.name,
    measures: inner.measures,
    start: (run) => under(inner.start(run), batchSize ?? null),
    next: (step, state) => under(inner.next(step, state.inner), state.ceiling, step.plan),
    recover(step, state) {
      if (step.kind === 'outOfMemory') return halve(step, state);
      return mapRecovery(inner.recover(step, state.inner), (decision) =>
        under(decision, state.ceiling, step.plan),
      );
    },
  };
}

/** Equal parts need one shape where unequal ones need two, and as many launches. */
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
    reason: {
      code: 'ceiling',
      text: `${reason.text} At most ${ceiling} examples may be on the device, so the batch is ${batchSize}.`,
      numbers: { ...reason.numbers, ceiling, batchSize },
    },
  };
}

function halve<Inner extends Json>(
  { plan }: FailedStep,
  state: CeilingState<Inner>,
): Recovery<CeilingState<Inner>> {
  const failed = plan.microBatchSize;
  if (failed <= 1)
    return {
      kind: 'giveUp',
      message:
        'A step with a single example on the device did not fit in memory. No batch size will help: make the model ' +
        'or its inputs smaller, free memory that other programs use, or take a device with more.',
    };
  const ceiling = Math.floor(failed / 2);
  const { parts, size } = equalParts(plan.batchSize, ceiling);
  return {
    kind: 'retry',
    decision: {
      plan: { ...plan, microBatchSize: size },
      reason: {
        code: 'out-of-memory',
        text:
          `A step with ${failed} examples on the device did not fit in memory. ` +
          `The same batch of ${plan.batchSize} is tried again in ${parts} parts of ${size}.`,
        numbers: { batchSize: plan.batchSize, failedMicroBatchSize: failed, microBatchSize: size, ceiling },
      },
      measure: PLAIN,
      state: { inner: state.inner, ceiling },
      firm: true,
    },
  };
}
