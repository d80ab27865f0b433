import type { BatchController, BatchPlan, Decision, Json } from '@batchwise/core';
import { checkCount } from './check.ts';
import { observe } from './observe.ts';
import { mapRecovery } from './recovery.ts';

/** Error rises below this many examples per micro-batch (Wu and He 2018, arXiv 1803.08494, figure 1). */
const LEAST = 16;

/** From which size on batch statistics are taken to be sound. */
export interface BatchNormOptions {
  /** Examples per micro-batch. Default 16. */
  readonly leastMicroBatchSize?: number | undefined;
}

/**
 * What to do about batch normalisation with micro-batches of this size, undefined where they are large enough. The
 * statistics of a batch are those of each micro-batch, so that accumulation does not help.
 */
export function batchNormAdvice(microBatchSize: number, least = LEAST): string | undefined {
  if (microBatchSize >= least) return undefined;
  return (
    `Batch normalisation sees only ${microBatchSize} examples at a time, and below ${least} its statistics are noisy: ` +
    'free memory for larger micro-batches, normalise by group or by layer, or freeze its statistics.'
  );
}

/**
 * Adds that advice to the reason where the micro-batches are new and too small; for models with batch normalisation. Put
 * it outside of `withCeiling`. The plan stays as it is.
 * @throws RangeError unless `leastMicroBatchSize` is a whole number of at least 1
 */
export function withBatchNormAdvice<State extends Json>(
  inner: BatchController<State>,
  { leastMicroBatchSize = LEAST }: BatchNormOptions = {},
): BatchController<State> {
  checkCount(leastMicroBatchSize, 'leastMicroBatchSize');

  function advised(decision: Decision<State>, before?: BatchPlan): Decision<State> {
    const { reason, plan } = decision;
    const { microBatchSize } = plan;
    const advice = batchNormAdvice(microBatchSize, leastMicroBatchSize);
    if (advice === undefined || microBatchSize === before?.microBatchSize) return decision;
    return {
      ...decision,
      reason: {
        ...reason,
        text: `${reason.text} ${advice}`,
        numbers: { ...reason.numbers, microBatchSize, leastMicroBatchSize },
      },
    };
  }

  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start: (run) => advised(inner.start(run)),
    next: (step, state) => advised(inner.next(step, state), step.plan),
    observe: (steps, state) => observe(inner, steps, state),
    recover: (step, state) =>
      mapRecovery(inner.recover(step, state), (decision) => advised(decision, step.plan)),
  };
}
