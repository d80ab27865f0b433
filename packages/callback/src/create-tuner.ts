import {
  TrainingError,
  type BatchController,
  type BatchPlan,
  type Clock,
  type Decision,
  type GradientMoments,
  type Json,
  type Measurement,
  type Reason,
  type SecondMoment,
} from '@batchwise/core';
import { policy as policyOf, settledRateScale, type PolicyName, type PolicyOptions } from '@batchwise/tuner';
import { Recorder } from './batch-history.ts';
import { checkCount } from './check.ts';
import { endOf, nonFinite } from './non-finite.ts';
import { tunerHistory, type TunerHistory } from './tuner-history.ts';
import { partSize, TuningSession, type SessionState } from './tuning-session.ts';

/** What `createTuner` takes; all of it may be left out. */
export interface TunerOptions extends PolicyOptions {
  /** For a loop that heeds `snapshot` of a step. Default false. */
  readonly guard?: boolean | undefined;
  /** Default `goodput`. */
  readonly policy?: PolicyName | undefined;
  /** A controller of your own, instead of a policy and its sizes. */
  readonly controller?: BatchController<Json> | undefined;
  /** Examples per epoch; bounds the batch. */
  readonly datasetSize?: number | undefined;
  /** How many epochs there will be, where that is known; bounds the batch. */
  readonly epochs?: number | undefined;
  /**
   * Of your Adam before the first step: `{ decay: 0.999, updates: 0 }` for a new one. With it the rate of larger batches makes up
   * for the smaller ones in its average of squared gradients.
   */
  readonly secondMoment?: SecondMoment | undefined;
  /** Handed to the controller. Default 0. */
  readonly seed?: number | undefined;
  /** The `state` of an earlier tuner, to go on with. */
  readonly resumeFrom?: SessionState | undefined;
  readonly clock?: Clock | undefined;
}

/** What to run next. */
export interface TunedStep {
  /** Examples of the update. */
  readonly batchSize: number;
  /** Examples of each part whose gradients are to be averaged; one part unless memory or a measurement wants more. */
  readonly parts: readonly number[];
  /** Factor on the configured learning rate. */
  readonly learningRateScale: number;
  /**
   * Where the controller rescales moments (`moments: 'rescale'`, on which its rate counts): κ, by which your Adam is to forget
   * faster, 1 − β' = κ (1 − β) and ε' = ε/√κ (Malladi et al. 2022, arXiv 2205.10287). Counted from what you configured.
   */
  readonly momentDecayScale?: number;
  /** What the controller would like to know of it: `gradient` wants the moments of the parts, see `gradientMoments`. */
  readonly measure: readonly Measurement[];
  /**
   * Before the step: `take` a copy of the weights beside the one that is kept, `keep` the one that was taken last in its
   * place (nothing is to be done where none was taken since), or `restore` the one that is kept. Only with the option
   * `guard`, which counts on a copy from before the first step, also of a run that is resumed, and that this is kept.
   */
  readonly snapshot: Decision<Json>['snapshot'];
}

/** What came of a step; what is not given is not known. */
export interface StepReport {
  /** Mean loss over its examples, before the update. One that is not finite is a failure, see `report`. */
  readonly loss?: number | undefined;
  /** Inner products of the gradients of its parts. */
  readonly gradient?: GradientMoments | undefined;
  /** Wall time in seconds. Default: the time since `next`. */
  readonly seconds?: number | undefined;
}

/** The plan went over to another, for a reason. */
export interface PlanChange {
  readonly from: BatchPlan;
  readonly to: BatchPlan;
  readonly reason: Reason;
}

/** The tuner for a training loop of your own. */
export interface Tuner {
  /**
   * What to run next, cut to `available` examples where the epoch ends earlier. The same until `report`.
   * @throws RangeError where `available` is not a whole number of at least 1
   */
  next(available?: number): TunedStep;
  /**
   * Tells that the step was applied. Where a loss that was asked for is not finite, the weights that were kept are to be
   * put back (`snapshot` of the next step is `restore`), and the step and its examples are not counted. One that was not
   * asked for is left out of account.
   * @returns the change of plan, where it makes one; always where weights are to be put back
   * @throws TrainingError `invalidOptions` without a `next` before; `nonFinite` for such a loss where no weights are kept
   *   (without `guard`), or where they were put back just before
   */
  report(step?: StepReport): PlanChange | undefined;
  /**
   * Tells that the step did not fit in memory and was not applied: `next` answers smaller parts for the same examples.
   * @throws TrainingError `outOfMemory` where there is nothing smaller
   */
  outOfMemory(cause?: unknown): PlanChange;
  /** Its plans and their reasons, and what they cost, so far. */
  readonly history: TunerHistory;
  /** For `resumeFrom`. Survives JSON. */
  readonly state: SessionState;
}

/**
 * The tuner as plain functions. It touches no model and no device:
 *
 *     const tuner = createTuner({ optimizer: 'adam', datasetSize: 60_000, epochs: 3 });
 *     const { batchSize, learningRateScale } = tuner.next();
 *     // …train on batchSize examples, at learningRateScale times the rate…
 *     tuner.report();
 *
 * A loop that is not able to split a step ignores `parts` and reports no gradient: then step times alone decide, with
 * the noise scale that the policy assumes.
 * @throws RangeError for an unknown policy or optimizer, sizes out of order, or `datasetSize` or `epochs` that are no whole
 * numbers of at least 1; TrainingError `invalidOptions` for a `resumeFrom` that is no state of a tuner
 */
export function createTuner(options: TunerOptions = {}): Tuner {
  return new StepTuner(options);
}

class StepTuner implements Tuner {
  readonly history: TunerHistory;
  readonly #recorder = new Recorder();
  readonly #session: TuningSession;
  #asked: { readonly step: TunedStep; readonly startedAt: number } | undefined;

  constructor(options: TunerOptions) {
    const { policy = 'goodput', controller, datasetSize, epochs, clock } = options;
    checkCount(datasetSize, 'datasetSize');
    checkCount(epochs, 'epochs');
    const known = datasetSize !== undefined && epochs !== undefined;
    this.#session = new TuningSession({
      controller: controller ?? policyOf(policy, { ...options, guard: options.guard ?? false }),
      run: {
        datasetSize,
        plannedExamples: known ? datasetSize * epochs : undefined,
        seed: options.seed ?? 0,
        secondMoment: options.secondMoment,
      },
      clock,
      from: options.resumeFrom,
    });
    this.#recorder.begin(this.#session.decision, this.#session.progress);
    if (!controller)
      this.#recorder.beforehand.rateOfSize = (batchSize) =>
        settledRateScale(policy, options, { batchSize, datasetSize });
    this.history = tunerHistory(this.#recorder, this.#session);
  }

  get state(): SessionState {
    return this.#session.state;
  }

  next(available = Infinity): TunedStep {
    if (!(available >= 1) || (available !== Infinity && !Number.isInteger(available)))
      throw new RangeError(`available is ${available}; give the examples that are left, at least 1.`);
    const { plan, measure, snapshot } = this.#session.decision;
    const batchSize = Math.min(plan.batchSize, available);
    if (this.#asked?.step.batchSize === batchSize) return this.#asked.step;
    const most = partSize(batchSize, plan, measure.includes('gradient'));
    const parts = Array.from({ length: Math.ceil(batchSize / most) }, (_, part) =>
      Math.min(most, batchSize - part * most),
    );
    const { momentDecayScale } = plan;
    const step = {
      batchSize,
      parts,
      learningRateScale: this.#session.learningRateScale(batchSize),
      ...(momentDecayScale !== undefined && { momentDecayScale }),
      measure,
      snapshot,
    };
    this.#asked = { step, startedAt: this.#session.clock() };
    return step;
  }

  report({ loss, gradient, seconds }: StepReport = {}): PlanChange | undefined {
    const { step, startedAt } = this.#taken('report');
    const took = seconds ?? this.#session.clock() - startedAt;
    const isKnown = loss !== undefined && Number.isFinite(loss);
    if (loss !== undefined && !isKnown && step.measure.includes('loss'))
      return this.#takeBack(step, { loss, seconds: took });
    const { finished, changed } = this.#session.count({
      examples: step.batchSize,
      microBatchSize: step.parts[0] ?? step.batchSize,
      seconds: took,
      loss: isKnown ? loss : undefined,
      gradient,
    });
    this.#recorder.onStepFinished(finished);
    if (changed) this.#recorder.onPlanChanged(changed);
    return changed && changeOf(changed);
  }

  outOfMemory(cause?: unknown): PlanChange {
    const { step, startedAt } = this.#taken('outOfMemory');
    this.#session.ledger.addOverhead(this.#session.clock() - startedAt);
    const answer = this.#session.recover(step.parts[0] ?? step.batchSize, cause);
    if (typeof answer === 'string') throw new TrainingError('outOfMemory', answer, { cause });
    this.#recorder.onPlanChanged(answer);
    return changeOf(answer);
  }

  /** The update was made before its loss was known: all that is left are weights that were kept earlier. */
  #takeBack(
    { parts, batchSize }: TunedStep,
    { loss, seconds }: { readonly loss: number; readonly seconds: number },
  ): PlanChange {
    const { plan } = this.#session.decision;
    const cause = nonFinite(loss, plan);
    this.#session.ledger.addOverhead(seconds);
    const microBatchSize = parts[0] ?? batchSize;
    const answer = this.#session.recoverNonFinite({ kind: 'nonFinite', plan, microBatchSize, cause });
    if (typeof answer === 'string') throw endOf(cause, answer, APPLIED);
    this.#recorder.onPlanChanged(answer);
    return changeOf(answer);
  }

  #taken(method: string): { readonly step: TunedStep; readonly startedAt: number } {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked) return asked;
    throw new TrainingError('invalidOptions', `${method}() was called without a next() before it.`, {
      hint: 'Ask next() what to run, run it, then report.',
    });
  }
}

const APPLIED = 'The update was made, so go back to saved weights.';

const changeOf = ({ from, to, reason }: PlanChange): PlanChange => ({ from, to, reason });
