import {
  checkResumable,
  monotonicClock,
  resumedController,
  TimeLedger,
  type AppliedStep,
  type BatchController,
  type BatchPlan,
  type Clock,
  type Decision,
  type FailedStep,
  type GradientMoments,
  type Json,
  type Progress,
  type Recovery,
  type RunEvents,
  type RunInfo,
  type TimeTotals,
} from '@batchwise/core';

/** A step that a loop of somebody else's has applied. */
export interface DoneStep {
  readonly examples: number;
  /** Examples of its largest part. */
  readonly microBatchSize: number;
  readonly seconds: number;
  readonly loss?: number | undefined;
  readonly gradient?: GradientMoments | undefined;
  readonly measuringSeconds?: number | undefined;
}

/** What observers are told of a step; `changed` where it changed the plan. */
export interface CountedStep {
  readonly finished: RunEvents['stepFinished'];
  readonly changed: RunEvents['planChanged'] | undefined;
}

/** Where a session goes on. Survives JSON. */
export type SessionState = {
  readonly step: number;
  readonly examples: number;
  readonly decision: Decision<Json>;
};

/** What a session is made of. */
export interface SessionOptions {
  readonly controller: BatchController<Json>;
  readonly run: RunInfo;
  readonly clock?: Clock | undefined;
  readonly from?: SessionState | undefined;
}

/**
 * The controller's side of a run whose loop is somebody else's: says what to run next and is told what came of it. It
 * books steps and plans as `train` of @batchwise/core does.
 */
export class TuningSession {
  readonly run: RunInfo;
  readonly clock: Clock;
  readonly ledger = new TimeLedger();
  epoch = 0;
  readonly #controller: BatchController<Json>;
  readonly #startedAt: number;
  #decision: Decision<Json>;
  #step: number;
  #examples: number;
  #stepsAtPlan = 0;
  #planChanges = 0;

  constructor({ controller, run, clock = monotonicClock, from }: SessionOptions) {
    if (from !== undefined) checkResumable(from, ['step', 'examples']);
    this.#controller = resumedController({ controller, resumeFrom: from });
    this.run = run;
    this.clock = clock;
    this.#startedAt = clock();
    this.#decision = from?.decision ?? controller.start(run);
    this.#step = from?.step ?? 0;
    this.#examples = from?.examples ?? 0;
  }

  get controllerName(): string {
    return this.#controller.name;
  }

  get decision(): Decision<Json> {
    return this.#decision;
  }

  get progress(): Progress {
    return { step: this.#step, epoch: this.epoch, examples: this.#examples };
  }

  get state(): SessionState {
    return { step: this.#step, examples: this.#examples, decision: this.#decision };
  }

  get totals(): TimeTotals {
    return this.ledger.totals(this.clock() - this.#startedAt);
  }

  /** A batch cut short trains at its share of the rate, so that no example weighs more. */
  learningRateScale(examples: number): number {
    const { batchSize, learningRateScale } = this.#decision.plan;
    const whole = Math.min(batchSize, this.run.datasetSize ?? Infinity);
    return learningRateScale * Math.min(1, examples / whole);
  }

  /** Books a step that was applied and asks the controller what to run next. */
  count(done: DoneStep): CountedStep {
    const { plan, reason } = this.#decision;
    const { examples } = done;
    const learningRateScale = this.learningRateScale(examples);
    this.#step += 1;
    this.#examples += examples;
    const outcome = this.#outcome(done);
    this.#book(done, plan);
    this.#stepsAtPlan += 1;
    const asked = this.clock();
    const decision = this.#controller.next(outcome, this.#decision.state);
    this.ledger.addOverhead(this.clock() - asked);
    return {
      finished: { ...this.progress, outcome, learningRateScale, reason },
      changed: this.#follow(decision),
    };
  }

  /**
   * Asks the controller what to do after a step that did not fit in memory and was not applied.
   * @returns the event where the plan is to be tried again in a new way, or the controller's last words
   */
  recover(microBatchSize: number, cause: unknown): RunEvents['planChanged'] | string {
    const recovery = this.#recovery({
      kind: 'outOfMemory',
      plan: this.#decision.plan,
      microBatchSize,
      cause,
    });
    if (recovery.kind === 'giveUp') return recovery.message;
    const changed = this.#follow(recovery.decision);
    const fits = recovery.decision.plan.microBatchSize < microBatchSize;
    return changed && fits ? changed : `${this.#controller.name} has no smaller batch to offer.`;
  }

  /**
   * Asks the controller what to do after a step whose loss is not finite, and which was applied all the same.
   * @returns the event where the weights are to be put back before the next step, or the controller's last words
   */
  recoverNonFinite(failed: FailedStep): RunEvents['planChanged'] | string {
    const recovery = this.#recovery(failed);
    if (recovery.kind === 'giveUp') return recovery.message;
    const changed = recovery.decision.snapshot === 'restore' ? this.#follow(recovery.decision) : undefined;
    return changed ?? `${this.#controller.name} tries the batch again, but puts no weights back.`;
  }

  #recovery(failed: FailedStep): Recovery<Json> {
    return this.#controller.recover(failed, this.#decision.state);
  }

  #outcome({ examples, microBatchSize, seconds, loss, gradient }: DoneStep): AppliedStep {
    const { plan, measure } = this.#decision;
    return {
      kind: 'applied',
      plan,
      examples,
      microBatchSize,
      totalExamples: this.#examples,
      warm: this.#stepsAtPlan > 0,
      ...(loss !== undefined && measure.includes('loss') && { loss }),
      ...(measure.includes('seconds') && { seconds }),
      ...(gradient && { gradient }),
    };
  }

  #book({ examples, seconds, gradient, measuringSeconds = 0 }: DoneStep, plan: BatchPlan): void {
    const warm = this.#stepsAtPlan > 0;
    // The first step of a run would be slow without a tuner too.
    const isFirst = !warm && !gradient && this.#planChanges === 0;
    if (examples !== plan.batchSize || isFirst) this.ledger.addShortStep(seconds);
    else this.ledger.addStep({ batchSize: examples, seconds, measuringSeconds, plain: warm && !gradient });
  }

  #follow(decision: Decision<Json>): RunEvents['planChanged'] | undefined {
    const { plan: from, reason: before, firm } = this.#decision;
    const { plan: to, reason } = decision;
    this.#decision = decision;
    const isSame = from.batchSize === to.batchSize && from.microBatchSize === to.microBatchSize;
    // The size that was being tried out is the one to keep: the same plan, for a reason of its own.
    const isSettled = firm === true && decision.firm === true && reason.code !== before.code;
    if (isSame && !isSettled && decision.snapshot !== 'restore') return undefined;
    if (!isSame) this.#stepsAtPlan = 0;
    this.#planChanges += 1;
    return { ...this.progress, from, to, reason };
  }
}

/** Examples of the parts that a batch is trained in: at least two, as equal as they come, where it is measured. */
export function partSize(size: number, { microBatchSize }: BatchPlan, measured: boolean): number {
  if (!measured || size < 2) return Math.min(size, microBatchSize);
  return Math.ceil(size / Math.max(2, Math.ceil(size / microBatchSize)));
}
