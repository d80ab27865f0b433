import { Breath, broadcastTo, monotonicClock, type BatchPlan, type Clock, type Tell } from '@batchwise/core';
import { whenFitEnds } from './end-of-fit.ts';
import { EpochBook } from './epoch-book.ts';
import { FeedReader } from './feed-reader.ts';
import type { FeedBatch, FeedCursor, PieceTensors } from './feed.ts';
import { endOf, nonFinite } from './non-finite.ts';
import {
  batchesFromElsewhere,
  misuse,
  openRun,
  plannedExamples,
  type FitDatasetSetting,
  type OpenedRun,
} from './open-run.ts';
import { OptimizerTap, type Apply } from './optimizer-tap.ts';
import { StepInHand } from './step-in-hand.ts';
import type { UnresolvedLogs } from './tf.ts';
import { TuningSession } from './tuning-session.ts';

/** One `fitDataset` while it goes on: its data set is the actuator, a tap on its optimizer the sensor. */
export class FitDatasetRun {
  readonly #setting: FitDatasetSetting;
  readonly #opened: OpenedRun;
  readonly #tell: Tell;
  readonly #clock: Clock;
  readonly #tap: OptimizerTap;
  readonly #unwatch: () => void;
  /** TensorFlow.js yields to the page only where all callbacks are plain objects. */
  readonly #breath: Breath;
  #apply: Apply | undefined;
  #session: TuningSession | undefined;
  #book: EpochBook | undefined;
  #step: StepInHand | undefined;
  /** Where this epoch is measured, once it was. */
  #apart: FeedCursor | undefined;
  #deviceIsIdle = true;
  #isOpen = true;

  /**
   * Opens the source and the controller, and puts the tap on the optimizer.
   * @throws TrainingError `invalidOptions`, `cannotMeasure`; RangeError for options out of range
   */
  static async begin(setting: FitDatasetSetting): Promise<FitDatasetRun> {
    return new FitDatasetRun(setting, await openRun(setting));
  }

  private constructor(setting: FitDatasetSetting, opened: OpenedRun) {
    const { model } = opened;
    this.#setting = setting;
    this.#opened = opened;
    this.#tell = broadcastTo(setting.observers);
    this.#clock = setting.options.clock ?? monotonicClock;
    this.#breath = new Breath(this.#clock);
    const tapped = { optimizer: model.optimizer, scale: opened.backend.scale };
    this.#tap = new OptimizerTap(setting.tf, tapped, (gradients, apply) => {
      this.#apply = apply;
      if (!this.#step?.train(gradients, apply)) apply(gradients, { learningRateScale: 1 });
    });
    this.#unwatch = whenFitEnds(model, () => this.#abandon());
    setting.leftovers.resolveHistory(model);
  }

  /** A place in the data, for an iterator. */
  reader(): FeedReader {
    return new FeedReader(this.#opened.feed, {
      epoch: () => this.#session?.epoch ?? 0,
      countsBatches: this.#setting.params.steps !== null,
    });
  }

  /** The next batch or part of one for `fitDataset`; undefined at the end of the epoch. */
  async next(reader: FeedReader): Promise<PieceTensors | undefined> {
    const book = this.#book;
    if (!book || book.isOver)
      throw misuse(
        'The tuned data set is read while no epoch of its own training goes on.',
        'It is for training alone; give validationData a data set of its own.',
      );
    await this.#finishStep();
    await this.#keepWeights();
    if (!this.#step) await this.#breath.take();
    if (!this.#step) {
      this.#step = await this.#openStep(reader);
      await this.#step?.open();
    }
    if (!this.#step) book.end(this.#clock());
    return this.#step?.upload();
  }

  async epochBegin(epoch: number): Promise<void> {
    const { params } = this.#setting;
    const session = (this.#session ??= await this.#start(epoch));
    session.epoch = epoch;
    this.#apart = undefined;
    this.#book = new EpochBook(this.#clock(), params.steps ?? Infinity);
  }

  batchBegin(): void {
    if (!this.#step?.isTraining) throw batchesFromElsewhere();
  }

  async batchEnd(logs: UnresolvedLogs): Promise<void> {
    const measure = this.#session?.decision.measure ?? [];
    // Reading the loss waits for the update too.
    this.#deviceIsIdle = measure.includes('loss') || measure.includes('seconds');
    const loss = this.#deviceIsIdle ? await numberOf(logs['loss']) : NaN;
    if (!this.#step?.partDone(loss))
      throw misuse(
        'A batch was not trained on by the optimizer that the training began with.',
        'Do not compile the model again while it is trained.',
      );
    await this.#endPart();
    if (this.#setting.options.signal?.aborted) this.#opened.model.stopTraining = true;
  }

  async epochEnd(): Promise<void> {
    await this.#finishStep();
    const [session, book] = [this.#session, this.#book];
    if (!session || !book) return;
    const { event, evaluationSeconds } = book.close(this.#clock());
    session.ledger.addEvaluation(evaluationSeconds);
    // A step in parts may go on in the next epoch.
    this.#step?.postpone(evaluationSeconds);
    if (event.epochSteps > 0) await this.#tell('epochFinished', { ...session.progress, ...event });
  }

  async trainEnd(): Promise<void> {
    const session = this.#session;
    if (!session) return this.#close();
    const rest = this.#apply && this.#step?.applyRest(this.#apply);
    if (rest) await this.#count(session, rest);
    await this.#restoreWeights();
    const stopped = this.#opened.model.stopTraining === true;
    const memory = this.#opened.backend.memory();
    this.#close();
    await this.#tell('runFinished', {
      ...session.progress,
      status: stopped ? 'aborted' : 'completed',
      stoppedBy: stopped ? 'abort' : 'epochs',
      totals: session.totals,
      memory,
    });
  }

  async #start(epoch: number): Promise<TuningSession> {
    const { params, options } = this.#setting;
    const { size } = this.#opened.feed;
    const run = {
      datasetSize: size,
      plannedExamples: plannedExamples(size, params, epoch),
      seed: options.seed ?? 0,
      secondMoment: this.#opened.backend.secondMoment?.(),
    };
    const session = new TuningSession({ controller: this.#opened.controller, run, clock: this.#clock });
    const { plan, reason } = session.decision;
    await this.#tell('runStarted', { run, plan, reason });
    return session;
  }

  async #openStep(reader: FeedReader): Promise<StepInHand | undefined> {
    const session = this.#session;
    if (!session) return undefined;
    const { plan, measure } = session.decision;
    if (measure.includes('seconds') && !this.#deviceIsIdle) await this.#opened.backend.settle();
    const startedAt = this.#clock();
    const batch = await reader.take(plan.batchSize);
    return (
      batch &&
      new StepInHand(batch, {
        plan,
        measuredOn: measure.includes('gradient') ? await this.#measuredOn(batch, plan) : undefined,
        learningRateScale: (examples) => session.learningRateScale(examples),
        maths: this.#opened.backend,
        clock: this.#clock,
        startedAt,
      })
    );
  }

  /** Independent draws where the source needs such and the epoch has some left; the batch itself where it needs none. */
  async #measuredOn(batch: FeedBatch, { batchSize }: BatchPlan): Promise<FeedBatch | undefined> {
    const { independent } = this.#opened.feed;
    if (!independent) return batch;
    this.#apart ??= await independent.epoch(this.#session?.epoch ?? 0, this.#book?.examples);
    return this.#apart.take(batchSize);
  }

  async #finishStep(): Promise<void> {
    const [session, step] = [this.#session, this.#step];
    if (session && step?.isDone) await this.#count(session, step.size);
  }

  /** After the last batch that TensorFlow.js counts it validates, without another `next`. */
  async #endPart(): Promise<void> {
    const book = this.#book;
    book?.countPart();
    if (!book?.isFull) return;
    await this.#finishStep();
    await this.#restoreWeights();
    book.end(this.#clock());
  }

  /** Before anybody looks at the weights: those that are given up are not the model's. Copies can wait for the next step. */
  async #restoreWeights(): Promise<void> {
    if (this.#session?.decision.snapshot === 'restore') await this.#keepWeights();
  }

  /** Copies the weights or puts them back, where the controller asks for it; that is no training. */
  async #keepWeights(): Promise<void> {
    const session = this.#session;
    if (session?.decision.snapshot === undefined) return;
    const started = this.#clock();
    await this.#opened.snapshots.obey(session.decision);
    session.ledger.addOverhead(this.#clock() - started);
  }

  /** Books the step in hand, with as many of its examples as were trained on. */
  async #count(session: TuningSession, examples: number): Promise<void> {
    const step = this.#step;
    if (!step) return;
    this.#step = undefined;
    try {
      const gradient = await step.moments();
      const loss = examples === step.size ? step.loss : NaN;
      const isKnown = examples === step.size && session.decision.measure.includes('loss');
      if (isKnown && !Number.isFinite(loss)) return await this.#takeBack(session, step);
      const { finished, changed } = session.count({
        examples,
        microBatchSize: step.microBatchSize,
        seconds: this.#clock() - step.startedAt,
        loss: Number.isFinite(loss) ? loss : undefined,
        gradient,
        measuringSeconds: step.measuringSeconds,
      });
      this.#book?.countStep(examples, loss);
      await this.#tell('stepFinished', finished);
      if (changed) await this.#tell('planChanged', changed);
    } finally {
      step.dispose();
    }
  }

  /** The update was made before its loss could be read: all that is left are weights that were kept earlier. */
  async #takeBack(session: TuningSession, { loss, microBatchSize, startedAt }: StepInHand): Promise<void> {
    const { plan } = session.decision;
    const cause = nonFinite(loss, plan);
    const outcome = { kind: 'nonFinite', plan, microBatchSize, cause } as const;
    session.ledger.addOverhead(this.#clock() - startedAt);
    await this.#tell('stepFailed', { ...session.progress, outcome });
    const answer = session.recoverNonFinite(outcome);
    if (typeof answer === 'string') throw endOf(cause, answer, APPLIED);
    await this.#tell('planChanged', answer);
  }

  /** After an exception: nobody but us knows of what is held here, and nobody is left to wait for. */
  #abandon(): void {
    if (!this.#isOpen) return;
    const memory = this.#opened.backend.memory();
    this.#close();
    this.#setting.leftovers.free();
    const session = this.#session;
    if (!session) return;
    const end = { ...session.progress, totals: session.totals, memory };
    const error = new Error('fitDataset ended with an error, which it throws itself.');
    void this.#tell('runFinished', { ...end, status: 'failed', stoppedBy: 'error', error }).catch(
      () => undefined,
    );
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#tap.remove();
    this.#unwatch();
    this.#step?.dispose();
    this.#opened.feed.dispose();
    this.#opened.snapshots.dispose();
    // After an error of the engine there is nothing left to put right.
    this.#opened.backend.endRun().catch(() => undefined);
  }
}

async function numberOf(value: UnresolvedLogs[string] | undefined): Promise<number> {
  if (value === undefined || typeof value === 'number') return value ?? NaN;
  return (await value.data())[0] ?? NaN;
}

const APPLIED = 'fitDataset has made the update, so go back to saved weights.';
