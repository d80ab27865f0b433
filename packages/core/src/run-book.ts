import type { BatchPlan } from './controller.ts';
import type { Json } from './json.ts';
import { LossMeter } from './loss-meter.ts';
import type { TrainOptions } from './options.ts';
import type { Evaluation, Progress, RunEvents, StoppedBy } from './run-events.ts';
import type { Settings } from './settings.ts';
import { TimeLedger } from './time-ledger.ts';
import { TrainingError } from './training-error.ts';

/** The books of one run: how far it is, when it must end or validate, and where its time and loss went. */
export class RunBook {
  readonly ledger = new TimeLedger();
  readonly losses = new LossMeter();
  /** Of the whole run. */
  latestValidation: Evaluation | undefined;
  examplesIntoEpoch: number;
  #step: number;
  #epoch: number;
  #examples: number;
  #nextValidation: number;
  #epochValidation: Evaluation | undefined;
  #validatedAt = -1;
  #targetReached = false;
  #stoppedBy: StoppedBy | undefined;
  readonly #stop;
  readonly #signal;
  readonly #settings: Settings;
  readonly #startedAt: number;
  #epochOpened = { seconds: 0, evaluationSeconds: 0, step: 0, examples: 0 };

  constructor(
    options: Pick<TrainOptions<unknown, unknown, Json>, 'stop' | 'signal' | 'resumeFrom'>,
    settings: Settings,
  ) {
    const from = options.resumeFrom;
    this.#step = from?.step ?? 0;
    this.#epoch = from?.epoch ?? 0;
    this.#examples = from?.examples ?? 0;
    this.examplesIntoEpoch = from?.examplesIntoEpoch ?? 0;
    this.#stop = options.stop;
    this.#signal = options.signal;
    this.#settings = settings;
    this.#startedAt = settings.clock();
    this.#nextValidation = (Math.floor(this.#examples / settings.validateEvery) + 1) * settings.validateEvery;
  }

  get progress(): Progress {
    return { step: this.#step, epoch: this.#epoch, examples: this.#examples };
  }

  /** Where the run stands in its source. */
  get place(): { readonly step: number; readonly epoch: number; readonly examplesIntoEpoch: number } {
    return { step: this.#step, epoch: this.#epoch, examplesIntoEpoch: this.examplesIntoEpoch };
  }

  /** Wall time since the run began. */
  get seconds(): number {
    return this.#settings.clock() - this.#startedAt;
  }

  /** Why the run must not take another step, undefined while it may. What it once said it keeps to. */
  get stoppedBy(): StoppedBy | undefined {
    this.#stoppedBy ??= this.#findStop();
    return this.#stoppedBy;
  }

  #findStop(): StoppedBy | undefined {
    const { epochs, examples, seconds } = this.#stop;
    if (this.#signal?.aborted) return 'abort';
    if (this.#targetReached) return 'target';
    if (examples !== undefined && this.#examples >= examples) return 'examples';
    if (epochs !== undefined && this.#epoch >= epochs) return 'epochs';
    if (seconds !== undefined && this.seconds >= seconds) return 'seconds';
    return undefined;
  }

  /** What may be taken of a wanted batch without passing the limit on examples. */
  mayTake(batchSize: number): number {
    return Math.min(batchSize, (this.#stop.examples ?? Infinity) - this.#examples);
  }

  /** A batch cut short by the end of an epoch trains at its share of the rate, so that no example weighs more. */
  learningRateScale(plan: BatchPlan, examples: number): number {
    const whole = Math.min(plan.batchSize, this.#settings.run.datasetSize ?? Infinity);
    const share = Math.min(1, examples / whole);
    return plan.learningRateScale * this.#settings.schedule(this.#examples) * share;
  }

  countStep(examples: number): void {
    this.#step += 1;
    this.#examples += examples;
    this.examplesIntoEpoch += examples;
  }

  openEpoch(): void {
    this.#epochOpened = {
      seconds: this.seconds,
      evaluationSeconds: this.ledger.evaluationSeconds,
      step: this.#step,
      examples: this.#examples,
    };
    this.#epochValidation = undefined;
  }

  /** The event of the epoch in hand; a complete one is counted. */
  async closeEpoch(complete: boolean): Promise<RunEvents['epochFinished']> {
    const opened = this.#epochOpened;
    const epochExamples = this.#examples - opened.examples;
    if (complete && this.examplesIntoEpoch === 0)
      throw new TrainingError('emptySource', `Epoch ${this.#epoch} of the source holds no examples.`, {
        hint: 'Check what the source was made from.',
      });
    // None is known where the device that held them was lost.
    const isKnown = this.losses.examples > 0;
    const trainLoss = await this.losses.takeMean();
    if (isKnown && !Number.isFinite(trainLoss))
      throw new TrainingError('nonFinite', `The loss of epoch ${this.#epoch} is ${trainLoss}.`, {
        hint: 'Lower the learning rate, or let the controller measure the loss to catch it at the step.',
      });
    const event = {
      ...this.progress,
      complete,
      epochExamples,
      epochSteps: this.#step - opened.step,
      seconds: this.seconds - opened.seconds - (this.ledger.evaluationSeconds - opened.evaluationSeconds),
      trainLoss,
      validation: this.#epochValidation,
    };
    if (complete) {
      this.#epoch += 1;
      this.examplesIntoEpoch = 0;
    }
    return event;
  }

  /** True when enough examples came since the last validation, and at the end of a run that was not cut off. */
  validationDue(epochComplete: boolean): boolean {
    if (this.#settings.validateEvery === Infinity || this.#validatedAt === this.#examples) return false;
    if (this.#examples >= this.#nextValidation) return true;
    const lastEpoch = epochComplete && this.#epoch + 1 >= (this.#stop.epochs ?? Infinity);
    const ended = lastEpoch ? 'epochs' : this.stoppedBy;
    return ended !== undefined && ended !== 'abort';
  }

  /**
   * Books a validation and looks whether it reached the target.
   * @throws TrainingError `invalidOptions` when the target's metric does not exist
   */
  countValidation(result: Evaluation, seconds: number): void {
    this.ledger.addEvaluation(seconds);
    this.latestValidation = result;
    this.#epochValidation = result;
    this.#validatedAt = this.#examples;
    const every = this.#settings.validateEvery;
    this.#nextValidation = (Math.floor(this.#examples / every) + 1) * every;
    const { target } = this.#stop;
    if (!target) return;
    const known: Readonly<Record<string, number>> = { ...result.metrics, loss: result.loss };
    const value = known[target.metric];
    if (value === undefined)
      throw new TrainingError('invalidOptions', `There is no metric "${target.metric}" to stop at.`, {
        hint: `The model has: ${Object.keys(known).join(', ')}.`,
      });
    this.#targetReached = target.direction === 'atLeast' ? value >= target.value : value <= target.value;
  }
}
