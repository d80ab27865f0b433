import type {
  AppliedStep,
  BatchController,
  BatchPlan,
  Decision,
  FailedStep,
  Json,
  Measurement,
  Reason,
  Recovery,
} from '@batchwise/core';
import { checkAbove, checkCount } from './check.ts';
import { about } from './explain.ts';
import {
  hasExploded,
  isHealthy,
  LOSS_WINDOW,
  NO_LOSSES,
  presentLoss,
  watchLoss,
  type LossWatch,
} from './loss-watch.ts';
import { observe } from './observe.ts';
import { resized } from './plan.ts';
import { mapRecovery } from './recovery.ts';

/** How often weights are kept, and what happens when they must be put back. */
export interface GuardOptions {
  /** Steps from one copy of the weights to the next, 12 at the least; the first comes after 20. Default 100. */
  readonly everySteps?: number | undefined;
  /** The learning rate and the batch may afterwards grow to this share of what failed. Default 0.5. */
  readonly backOff?: number | undefined;
  /** After so many restorations it lets things take their course. Default 8. */
  readonly maxRestores?: number | undefined;
}

/** What the guard remembers beside the wrapped controller's own state. */
export type GuardState<Inner extends Json> = {
  readonly inner: Inner;
  /** Batch of the first plan, below which the guard does not push. */
  readonly startBatchSize: number;
  readonly losses: LossWatch;
  /** Steps since a copy of the weights was last taken, whether one was kept since the losses began anew, and whether the latest waits to be. */
  readonly stepsSinceCopy: number;
  readonly hasCopy: boolean;
  readonly isTaken: boolean;
  readonly restores: number;
  /** Steps applied since the weights were last put back. */
  readonly stepsSinceRestore: number;
  /** Bounds learned from failures; null before the first. */
  readonly cap: { readonly batchSize: number; readonly learningRateScale: number } | null;
};

/** As soon as it is known what the loss is like. */
const FIRST_COPY = 20;

/** An explosion, which takes six steps to show in the median of eleven, may be seen so many steps late. */
const LATE_STEPS = 9;

/** The loss must be known at each step, whatever the inner controller wants. */
const LOSS: Measurement = 'loss';

/**
 * Puts the last good weights back when the loss is no longer a finite number, or has exploded (most of
 * the latest steps at twice the lowest loss, and half of that at the start or more), and goes on with at most half the learning-rate factor and half the batch, but
 * no less batch than the run began with. The copies, one per hundred steps while the loss is as usual, are the loop's and
 * the backend's; one is kept once the eleven losses after it are as usual, too. Examples and time keep counting. It gives up on a batch whose loss is not finite right after weights were
 * put back that were fine: then it is the data.
 *
 * Put it outermost: it must see the rate that is really used, and the loop must see `restores`.
 * @throws RangeError where an option is out of its range
 */
export function withGuard<Inner extends Json>(
  inner: BatchController<Inner>,
  { everySteps = 100, backOff = 0.5, maxRestores = 8 }: GuardOptions = {},
): BatchController<GuardState<Inner>> {
  checkCount(everySteps, 'everySteps');
  checkAbove(backOff, 'backOff');
  if (backOff >= 1) throw new RangeError(`backOff is ${backOff}; give a number above 0 and below 1.`);
  checkCount(maxRestores, 'maxRestores');

  return {
    name: inner.name,
    measures: [...new Set([...inner.measures, LOSS])],
    restores: true,
    start(run) {
      const decision = inner.start(run);
      return guarded(decision, {
        startBatchSize: decision.plan.batchSize,
        losses: NO_LOSSES,
        stepsSinceCopy: 0,
        hasCopy: false,
        isTaken: false,
        restores: 0,
        stepsSinceRestore: 0,
        cap: null,
      });
    },
    next(step, state) {
      const decision = inner.next(step, state.inner);
      const seen = observed(state, [step]);
      if (seen.restores < maxRestores && hasExploded(seen.losses)) {
        const back = restored(seen, step.plan, backOff);
        return guarded({ ...decision, ...putBack(step.plan, explosion(seen)) }, back);
      }
      const due = dueAfter(seen, everySteps);
      if (seen.stepsSinceCopy < due || !isHealthy(seen.losses)) {
        const untilDue = Math.max(0, due - 1 - seen.stepsSinceCopy);
        return guarded(decision, seen, Math.min(decision.standsFor ?? 0, untilDue, LATE_STEPS));
      }
      return seen.isTaken
        ? guarded({ ...decision, snapshot: 'keep' }, { ...seen, hasCopy: true, isTaken: false })
        : guarded({ ...decision, snapshot: 'take' }, { ...seen, stepsSinceCopy: 0, isTaken: true });
    },
    observe: (steps, state) => stateOf(observe(inner, steps, state.inner), observed(state, steps)),
    recover(step, state) {
      const recovery = inner.recover(step, state.inner);
      if (recovery.kind === 'retry' || step.kind !== 'nonFinite')
        return mapRecovery(recovery, (decision) => guarded(decision, state));
      return nonFinite(step, state, { backOff, maxRestores, message: recovery.message });
    },
  };
}

type Rest<Inner extends Json> = Omit<GuardState<Inner>, 'inner'>;

/** Steps from a copy to what comes next: to keep it, once all losses that count are of weights after it, or to take another. */
function dueAfter({ isTaken, hasCopy }: Rest<Json>, everySteps: number): number {
  if (isTaken) return LOSS_WINDOW;
  return hasCopy ? everySteps : Math.min(everySteps, FIRST_COPY);
}

const observed = <Inner extends Json>(
  state: GuardState<Inner>,
  steps: readonly AppliedStep[],
): Rest<Inner> => ({
  startBatchSize: state.startBatchSize,
  losses: steps.reduce((seen, { loss }) => (loss === undefined ? seen : watchLoss(seen, loss)), state.losses),
  stepsSinceCopy: state.stepsSinceCopy + steps.length,
  hasCopy: state.hasCopy,
  isTaken: state.isTaken,
  restores: state.restores,
  stepsSinceRestore: state.stepsSinceRestore + steps.length,
  cap: state.cap,
});

/** The decision within the bounds learned so far. */
function guarded<Inner extends Json>(
  decision: Decision<Inner>,
  rest: Rest<Inner>,
  standsFor = 0,
): Decision<GuardState<Inner>> {
  const { plan: wanted, measure, state: inner } = decision;
  const plan = rest.cap ? capped(wanted, rest.cap) : wanted;
  return {
    ...decision,
    plan,
    measure: measure.includes(LOSS) ? measure : [...measure, LOSS],
    state: stateOf(inner, rest),
    // A size that is tried is not the one that runs, which is known with the next step.
    standsFor: plan.batchSize === wanted.batchSize ? standsFor : 0,
  };
}

const stateOf = <Inner extends Json>(inner: Inner, rest: Rest<Inner>): GuardState<Inner> => ({
  inner,
  startBatchSize: rest.startBatchSize,
  losses: rest.losses,
  stepsSinceCopy: rest.stepsSinceCopy,
  hasCopy: rest.hasCopy,
  isTaken: rest.isTaken,
  restores: rest.restores,
  stepsSinceRestore: rest.stepsSinceRestore,
  cap: rest.cap,
});

function capped(
  plan: BatchPlan,
  { batchSize, learningRateScale }: NonNullable<Rest<Json>['cap']>,
): BatchPlan {
  const sized = plan.batchSize > batchSize ? resized(plan, batchSize) : plan;
  if (sized.learningRateScale <= learningRateScale) return sized;
  const { momentDecayScale: moments } = sized;
  // Those that `withLearningRate` rescales go with the square of the rate.
  const rescaled = moments !== undefined && { momentDecayScale: Math.min(moments, learningRateScale ** 2) };
  return { ...sized, learningRateScale, ...rescaled };
}

/** The weights go back, the losses begin anew but for the first, and what failed is out of bounds. */
const restored = <Inner extends Json>(
  rest: Rest<Inner>,
  failed: BatchPlan,
  backOff: number,
): Rest<Inner> => ({
  ...rest,
  losses: { ...NO_LOSSES, start: rest.losses.start },
  stepsSinceCopy: 0,
  hasCopy: false,
  isTaken: false,
  restores: rest.restores + 1,
  stepsSinceRestore: 0,
  cap: {
    batchSize: Math.max(rest.startBatchSize, Math.floor(backOff * failed.batchSize)),
    learningRateScale: backOff * failed.learningRateScale,
  },
});

const putBack = (plan: BatchPlan, reason: Reason) =>
  ({ plan, reason, snapshot: 'restore', firm: true }) as const;

const GOES_ON = 'The last good weights are put back, and the run goes on at a lower rate.';

function explosion({ losses }: Rest<Json>): Reason {
  const [now, lowest] = [presentLoss(losses) ?? 0, losses.lowest ?? 0];
  return {
    code: 'exploded',
    text:
      `The loss of the last steps is about ${about(now)} where it was as low as ${about(lowest)}, as ` +
      `when the learning rate is too high. ${GOES_ON}`,
    numbers: { loss: now, lowestLoss: lowest },
  };
}

function nonFinite<Inner extends Json>(
  { plan }: FailedStep,
  state: GuardState<Inner>,
  { backOff, maxRestores, message }: { backOff: number; maxRestores: number; message: string },
): Recovery<GuardState<Inner>> {
  const { restores, stepsSinceRestore } = state;
  if (restores > 0 && stepsSinceRestore === 0)
    return {
      kind: 'giveUp',
      message:
        `The loss of a batch of ${plan.batchSize} examples is not a finite number at weights that were fine. Look for ` +
        'examples with NaN or infinite values.',
    };
  if (restores >= maxRestores) return { kind: 'giveUp', message };
  const reason: Reason = {
    code: 'non-finite',
    text:
      `The loss of a batch of ${plan.batchSize} is not a finite number, with the learning rate at ` +
      `${about(plan.learningRateScale)} of its configured value. ${GOES_ON}`,
    numbers: { batchSize: plan.batchSize, learningRateScale: plan.learningRateScale },
  };
  const decision: Decision<Inner> = { ...putBack(plan, reason), measure: [LOSS], state: state.inner };
  return { kind: 'retry', decision: guarded(decision, restored(state, plan, backOff)) };
}
