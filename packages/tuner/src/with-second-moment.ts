import type { AppliedStep, BatchController, Decision, Json } from '@batchwise/core';
import { checkShare } from './check.ts';
import { observe } from './observe.ts';
import { mapRecovery } from './recovery.ts';
import { NO_BATCHES, remember, type RememberedBatches } from './second-moment.ts';

/** The average that an optimizer divides by. */
export interface SecondMomentOptions {
  /** β2, what a step leaves of the average of squared gradients. Default 0.999, as of Adam in TensorFlow.js. */
  readonly decay?: number | undefined;
}

/** What the optimizer remembers, and the batch size that was last told for it, examples; null before the first step. */
export type SecondMomentState<Inner extends Json> = {
  readonly inner: Inner;
  readonly batches: RememberedBatches;
  readonly told: number | null;
};

/** What was told stands until it is off by so much, |ln|: 2 % of the rate at the most. */
const TOLERANCE = 0.04;
/** Part of it, so that no rounding breaks a promise of how long it stands. */
const SLACK = 0.01 * TOLERANCE;

/**
 * Adds to the evidence of a decision which batch size Adam's average of squared gradients remembers, for `withLearningRate`
 * to make up for it: after steps of 32 a step of 1,024 is divided by the noise of 32, for hundreds of steps.
 * Put it inside of that and outside of all that chooses the batch. The plan stays as it is.
 * @throws RangeError unless `decay` is at least 0 and below 1
 */
export function withSecondMoment<Inner extends Json>(
  inner: BatchController<Inner>,
  { decay = 0.999 }: SecondMomentOptions = {},
): BatchController<SecondMomentState<Inner>> {
  checkShare(decay, 'decay');

  function telling(
    decision: Decision<Inner>,
    batches: RememberedBatches,
    before: number | null,
  ): Decision<SecondMomentState<Inner>> {
    const { plan, evidence, standsFor = 0 } = decision;
    const { batchSize, momentDecayScale } = plan;
    const told = batches.weight === 0 ? null : toTell(batches, batchSize, before);
    const state = { inner: decision.state, batches, told };
    if (told === null) return { ...decision, state, standsFor: 0 };
    const stands = (steps: number): boolean => {
      const later = remember(batches, { batchSize, decay: decayWith(momentDecayScale), steps });
      return off(later, told) <= TOLERANCE - SLACK && off(later, batchSize) > TOLERANCE + SLACK;
    };
    return {
      ...decision,
      evidence: { ...evidence, rememberedBatchSize: told },
      state,
      standsFor: told === batchSize ? standsFor : lastOf(stands, standsFor),
    };
  }
  const decayWith = (scale = 1): number => Math.max(0, 1 - scale * (1 - decay));
  const seen = (before: RememberedBatches, { plan, examples }: AppliedStep): RememberedBatches =>
    remember(before, { batchSize: examples, decay: decayWith(plan.momentDecayScale) });

  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start: (run) => telling(inner.start(run), NO_BATCHES, null),
    next: (step, { inner: state, batches, told }) =>
      telling(inner.next(step, state), seen(batches, step), told),
    observe: (steps, { inner: state, batches, told }) => ({
      inner: observe(inner, steps, state),
      // One after the other, as `next` does, to the last digit.
      batches: steps.reduce(seen, batches),
      told,
    }),
    recover: (step, { inner: state, batches, told }) =>
      mapRecovery(inner.recover(step, state), (decision) => telling(decision, batches, told)),
  };
}

const off = ({ inverseBatchSize }: RememberedBatches, batchSize: number): number =>
  Math.abs(Math.log(inverseBatchSize * batchSize));

/** The size of the coming batch where that is near enough, what was told before where that is, else what is remembered. */
function toTell(batches: RememberedBatches, batchSize: number, before: number | null): number {
  if (off(batches, batchSize) <= TOLERANCE) return batchSize;
  return before !== null && off(batches, before) <= TOLERANCE ? before : 1 / batches.inverseBatchSize;
}

/** Half or more of the steps up to which it holds, or `most`; once it does not, it does not for more. */
function lastOf(holds: (steps: number) => boolean, most: number): number {
  if (holds(most)) return most;
  let steps = 0;
  for (let tried = 1; holds(tried); tried *= 2) steps = tried;
  return steps;
}
