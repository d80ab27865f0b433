import type { BatchController, BatchPlan, Decision, Evidence, Json, RunInfo } from '@batchwise/core';
import { checkAbove, checkCount } from './check.ts';
import { learningRateScale, type LearningRateQuestion } from './learning-rate-rules.ts';
import { observe } from './observe.ts';
import { mapRecovery } from './recovery.ts';
import { secondMomentFactor } from './second-moment.ts';

/** How the learning rate is coupled to the batch. */
export interface LearningRateOptions extends Omit<LearningRateQuestion, 'evidence'> {
  /** Largest relative rise from one step to the next, as in a warm-up. Default 0.1. */
  readonly risePerStep?: number | undefined;
  /**
   * Over the first so many examples the factor rises from 1 no faster than in a straight line (the gradual warm-up of
   * Goyal et al. 2017, section 2.2). Default 0. For a warm-up of the configured rate itself give the loop a schedule.
   */
  readonly warmUpExamples?: number | undefined;
  /**
   * `rescale` also lets the running averages of Adam and RMSProp forget as many examples as at the reference batch,
   * 1 − β' = κ (1 − β) with κ = scale² up to 4 (Malladi et al. 2022, arXiv 2205.10287; beyond that the approximation no longer
   * holds). It goes with rule `sqrt`, and other optimizers ignore it. Default `keep`: the rate makes up for what they hold instead, where
   * the evidence tells it.
   */
  readonly moments?: 'keep' | 'rescale' | undefined;
}

/** Survives JSON. */
export type LearningRateState<Inner extends Json> = {
  readonly inner: Inner;
  /** The batch that ran before the sizes that are being tried, and its rate; null while none is. */
  readonly left: { readonly batchSize: number; readonly learningRateScale: number } | null;
  /** The batch that the rate is configured for; all examples where there are fewer. */
  readonly referenceBatchSize: number;
};

/** What a decision's rate goes by. */
interface RateView extends Omit<LearningRateState<Json>, 'inner'> {
  /** Largest factor now, and whether it will be larger with the next step. */
  readonly limit: number;
  readonly rises: boolean;
  /** How far the warm-up is, from 0 to 1. */
  readonly warmth: number;
}

/** κ (1 − β) must stay far below 1. */
const MAX_MOMENT_SCALE = 4;

const ratedPlan = (
  plan: BatchPlan,
  learningRateScale: number,
  moments: LearningRateOptions['moments'],
): BatchPlan =>
  moments === 'rescale'
    ? { ...plan, learningRateScale, momentDecayScale: Math.min(learningRateScale ** 2, MAX_MOMENT_SCALE) }
    : { ...plan, learningRateScale };

/** How far the warm-up is, from 0 to 1. */
const warmthAt = (examples: number, warmUpExamples: number): number =>
  warmUpExamples === 0 ? 1 : Math.min(1, examples / warmUpExamples);

/** 1 where the evidence does not tell. */
const factorFor = ({ batchSize }: BatchPlan, { noiseScale, rememberedBatchSize }: Evidence = {}): number =>
  noiseScale === undefined || rememberedBatchSize === undefined
    ? 1
    : secondMomentFactor({ batchSize, rememberedBatchSize, noiseScale });

/**
 * Couples the learning rate to the batch, with `learningRateScale`, and makes up for what Adam remembers of other batches
 * where the evidence tells it (`withSecondMoment`, `secondMomentFactor`). A smaller batch lowers the rate at once; a larger
 * one raises it by `risePerStep` a step. A firm decision that changes the batch (a size that is only being tried) does not raise it at
 * all, except to what it was before sizes were tried, once the batch of then is back.
 * A data set of fewer examples than `referenceBatchSize` is a whole reference batch.
 * Put it outside of all that chooses the batch, where it sees the batch that really runs.
 * @throws RangeError where `referenceBatchSize` is not a whole number of at least 1, another number is not above 0, or
 * `moments: 'rescale'` comes with another rule than `sqrt`
 */
export function withLearningRate<State extends Json>(
  inner: BatchController<State>,
  options: LearningRateOptions,
): BatchController<LearningRateState<State>> {
  const { risePerStep = 0.1, warmUpExamples = 0, moments = 'keep' } = options;
  const { rule, maxScale } = options;
  checkOptions(options);

  const planAt = (plan: BatchPlan, rate: number): BatchPlan => ratedPlan(plan, rate, moments);
  function scaled(
    decision: Decision<State>,
    { limit, rises, warmth, left, referenceBatchSize }: RateView,
  ): Decision<LearningRateState<State>> {
    const { plan, evidence } = decision;
    const ruled = learningRateScale(plan.batchSize, { rule, referenceBatchSize, maxScale, evidence });
    // Averages that forget faster take the place of making up for what they remember.
    const target = moments === 'rescale' ? ruled : ruled * factorFor(plan, evidence);
    const warmed = target > 1 ? 1 + (target - 1) * warmth : target;
    // The rate of a size that is only tried stays as it is.
    const isThere = warmth === 1 && (warmed <= limit || !rises);
    return {
      ...decision,
      plan: planAt(plan, Math.min(warmed, limit)),
      state: { inner: decision.state, left, referenceBatchSize },
      standsFor: isThere ? (decision.standsFor ?? 0) : 0,
    };
  }
  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start: (run) => scaled(inner.start(run), startView(options, run)),
    next(step, { inner: state, left: known, referenceBatchSize }) {
      const decision = inner.next(step, state);
      const left = decision.firm ? leftBehind(known, step.plan, decision.plan) : null;
      const rises = mayRise(step.plan, decision, left);
      const limit = rises
        ? step.plan.learningRateScale * (1 + risePerStep)
        : heldRate(step.plan, decision.plan, left);
      const warmth = warmthAt(step.totalExamples, warmUpExamples);
      return scaled(decision, { limit, rises, warmth, left, referenceBatchSize });
    },
    observe: (steps, { inner: state, ...rest }) => ({ inner: observe(inner, steps, state), ...rest }),
    recover: (step, { inner: state, ...rest }) =>
      mapRecovery(inner.recover(step, state), (decision) => {
        const { batchSize, learningRateScale: limit } = step.plan;
        // Of the same batch, in smaller parts, nothing new is known.
        return decision.plan.batchSize === batchSize
          ? {
              ...decision,
              plan: planAt(decision.plan, limit),
              state: { inner: decision.state, ...rest },
              standsFor: 0,
            }
          : scaled(decision, { limit, rises: decision.firm !== true, warmth: 1, ...rest });
      }),
  };
}

function checkOptions({
  referenceBatchSize,
  maxScale,
  risePerStep = 1,
  warmUpExamples = 0,
  moments,
  rule,
}: LearningRateOptions): void {
  checkCount(referenceBatchSize, 'referenceBatchSize');
  if (maxScale !== undefined) checkAbove(maxScale, 'maxScale');
  checkAbove(risePerStep, 'risePerStep');
  if (warmUpExamples !== 0) checkAbove(warmUpExamples, 'warmUpExamples');
  if (moments === 'rescale' && rule !== 'sqrt')
    throw new RangeError(
      'moments is rescale, which goes with the rule sqrt; give that rule, or keep the moments.',
    );
}

/** The batch that the rate is configured for: all examples where there are fewer. */
export const referenceIn = (referenceBatchSize: number, datasetSize = Infinity): number =>
  Math.min(referenceBatchSize, datasetSize);

const startView = ({ referenceBatchSize }: LearningRateOptions, { datasetSize }: RunInfo): RateView => ({
  limit: 1,
  rises: true,
  warmth: 1,
  left: null,
  referenceBatchSize: referenceIn(referenceBatchSize, datasetSize),
});

/** What ran before the first of the firm decisions that leave it. */
const leftBehind = (
  known: LearningRateState<Json>['left'],
  { batchSize, learningRateScale }: BatchPlan,
  next: BatchPlan,
): LearningRateState<Json>['left'] =>
  known ?? (batchSize === next.batchSize ? null : { batchSize, learningRateScale });

/** A size that is only tried does not raise the rate; one that runs on, as that of an earlier run at the start of this one, does. */
const mayRise = (
  { batchSize }: BatchPlan,
  { firm, plan }: Decision<Json>,
  left: LearningRateState<Json>['left'],
): boolean => !firm || (left === null && batchSize === plan.batchSize);

const heldRate = (
  { learningRateScale }: BatchPlan,
  { batchSize }: BatchPlan,
  left: LearningRateState<Json>['left'],
): number =>
  left?.batchSize === batchSize ? Math.max(learningRateScale, left.learningRateScale) : learningRateScale;
