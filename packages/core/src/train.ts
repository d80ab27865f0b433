import { Breath } from './breath.ts';
import { broadcastTo, type Tell } from './broadcast.ts';
import type { AppliedStep, BatchPlan, Decision, FailedStep } from './controller.ts';
import { evaluate } from './evaluate.ts';
import type { Json } from './json.ts';
import type { MemoryReading } from './measurements.ts';
import type { RunSummary, TrainOptions } from './options.ts';
import { NoiseBatches } from './noise-batches.ts';
import { resumedController } from './resume.ts';
import { RunBook } from './run-book.ts';
import type { BatchCursor } from './source.ts';
import { checkSettings, type Settings } from './settings.ts';
import { Snapshots } from './snapshots.ts';
import { tryStep, type AppliedUpdate } from './step.ts';
import { TrainingError } from './training-error.ts';

/**
 * Trains a model while a controller picks the batch. The events, and where in the loop they are sent, stand in
 * `run-events.ts`.
 * @returns how far it came; an aborted run returns too, with status `aborted`
 * @throws TrainingError with a code and a hint, or what the backend or the source threw; what was applied until then
 *   stays applied
 */
export async function train<Batch, Gradient, State extends Json>(
  options: TrainOptions<Batch, Gradient, State>,
): Promise<RunSummary<State>> {
  const settings = checkSettings(options);
  return new TrainingRun({ ...options, controller: resumedController(options) }, settings).run();
}

class TrainingRun<Batch, Gradient, State extends Json> {
  readonly #options: TrainOptions<Batch, Gradient, State>;
  readonly #settings: Settings;
  readonly #book: RunBook;
  readonly #tell: Tell;
  readonly #breath: Breath;
  readonly #snapshots: Snapshots<State>;
  readonly #noiseBatches: NoiseBatches<Batch>;
  #decision: Decision<State>;
  #stepsAtPlan = 0;
  #planChanges = 0;
  #deviceIsIdle = true;

  constructor(options: TrainOptions<Batch, Gradient, State>, settings: Settings) {
    this.#options = options;
    this.#settings = settings;
    this.#book = new RunBook(options, settings);
    this.#tell = broadcastTo(options.observers ?? []);
    this.#breath = new Breath(settings.clock);
    this.#snapshots = new Snapshots(options.backend, options.controller);
    this.#noiseBatches = new NoiseBatches(options.source);
    this.#decision = options.resumeFrom?.decision ?? options.controller.start(settings.run);
  }

  async run(): Promise<RunSummary<State>> {
    let failure: { readonly error: unknown } | undefined;
    try {
      this.#refuseUnmeasurable();
      await this.#asOverhead(() => this.#snapshots.open());
      const { plan, reason } = this.#decision;
      await this.#tell('runStarted', { run: this.#settings.run, plan, reason });
      while (this.#book.stoppedBy === undefined) await this.#runEpoch();
      await this.#restoreWeights();
    } catch (error) {
      failure = { error };
    }
    return this.#finish(failure);
  }

  async #runEpoch(): Promise<void> {
    const book = this.#book;
    book.openEpoch();
    const cursor = this.#options.source.epoch(book.progress.epoch, book.examplesIntoEpoch);
    if (cursor.observe) this.#refuseDeafBackend();
    let complete = false;
    while (!complete && book.stoppedBy === undefined) {
      await this.#breath.take();
      await this.#keepWeights();
      await this.#settleBeforeTiming();
      const started = this.#settings.clock();
      const batch = await cursor.take(book.mayTake(this.#decision.plan.batchSize));
      if (batch !== undefined) await this.#runStep(batch, cursor, started);
      complete = batch === undefined || book.examplesIntoEpoch === this.#options.source.size;
      if (book.validationDue(complete)) await this.#validate();
    }
    const event = await this.#reviving(() => book.closeEpoch(complete));
    if (event.epochExamples > 0) await this.#tell('epochFinished', event);
  }

  /** Tries until the batch is applied or the controller gives up; the examples stay the same. */
  async #runStep(batch: Batch, cursor: BatchCursor<Batch>, started: number): Promise<void> {
    const { backend, controller } = this.#options;
    const { clock } = this.#settings;
    const examples = backend.sizeOf(batch);
    for (let from = started; ; from = clock()) {
      const { plan, measure } = this.#decision;
      const learningRateScale = this.#book.learningRateScale(plan, examples);
      const measured = await this.#noiseBatches.prepare(measure, { examples, at: this.#book.place });
      const exampleLosses = cursor.observe !== undefined;
      const request = { batch, plan, learningRateScale, exampleLosses, ...measured };
      const outcome = await tryStep(backend, request, clock);
      if (outcome.kind === 'applied') {
        cursor.observe?.(outcome.exampleLosses);
        return this.#countStep(outcome, { examples, learningRateScale, seconds: clock() - from });
      }
      this.#book.ledger.addOverhead(clock() - from);
      await this.#tell('stepFailed', { ...this.#book.progress, outcome });
      if (outcome.kind === 'deviceLost') await this.#revive(outcome.cause);
      else {
        const recovery = controller.recover(outcome, this.#decision.state);
        if (recovery.kind === 'giveUp')
          throw new TrainingError(outcome.kind, recovery.message, { cause: outcome.cause });
        this.#refuseEqualRetry(outcome, recovery.decision.plan);
        await this.#follow(recovery.decision);
        await this.#keepWeights();
      }
      await this.#breath.take();
      if (this.#book.stoppedBy !== undefined) return;
    }
  }

  /** Does `work` again where the device was lost under it. */
  async #reviving<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.#options.backend.classify(error) !== 'deviceLost') throw error;
      await this.#revive(error);
      return work();
    }
  }

  /** Losses that nobody has read are gone with the device, and what was compiled for it. */
  async #revive(cause: unknown): Promise<void> {
    const { backend } = this.#options;
    this.#book.losses.dispose();
    this.#stepsAtPlan = 0;
    if (!backend.revive)
      throw new TrainingError('deviceLost', 'The device was lost.', {
        hint: `Backend ${backend.name} cannot get a new one: go on from what was saved, in a new process.`,
        cause,
      });
    await backend.revive(cause);
  }

  /** What did not fit will not fit the second time. */
  #refuseEqualRetry({ kind, microBatchSize, cause }: FailedStep, retry: BatchPlan): void {
    if (kind !== 'outOfMemory' || retry.microBatchSize < microBatchSize) return;
    const { name } = this.#options.controller;
    throw new TrainingError(kind, `Micro-batches of ${microBatchSize} ran out of memory.`, {
      hint: `Controller ${name} wants ${retry.microBatchSize} next; it must ask for fewer.`,
      cause,
    });
  }

  async #countStep(
    update: AppliedUpdate,
    { examples, learningRateScale, seconds }: Record<'examples' | 'learningRateScale' | 'seconds', number>,
  ): Promise<void> {
    const { plan, measure, reason } = this.#decision;
    const book = this.#book;
    const { microBatchSize, loss, losses, gradient, memory, measuringSeconds } = update;
    const warm = this.#stepsAtPlan > 0;
    book.countStep(examples);
    if (loss !== undefined) book.losses.count(loss, examples);
    else for (const part of losses) book.losses.defer(part.loss, part.examples);
    await this.#reviving(() => book.losses.readMany());
    // The first step of a run would be slow without a tuner too.
    const isFirst = !warm && !gradient && this.#planChanges === 0;
    if (examples === plan.batchSize && !isFirst)
      book.ledger.addStep({ batchSize: examples, seconds, measuringSeconds, plain: warm && !gradient });
    else book.ledger.addShortStep(seconds);
    this.#stepsAtPlan += 1;
    this.#deviceIsIdle = measure.includes('seconds');
    const outcome: AppliedStep = {
      kind: 'applied',
      plan,
      examples,
      microBatchSize,
      totalExamples: book.progress.examples,
      warm,
      ...(loss !== undefined && { loss }),
      ...(measure.includes('seconds') && { seconds }),
      ...(gradient && { gradient }),
      ...(memory && { memory }),
    };
    await this.#tell('stepFinished', { ...book.progress, outcome, learningRateScale, reason });
    const asked = this.#settings.clock();
    const decision = this.#options.controller.next(outcome, this.#decision.state);
    book.ledger.addOverhead(this.#settings.clock() - asked);
    await this.#follow(decision);
  }

  async #follow(decision: Decision<State>): Promise<void> {
    const { plan: from, reason: before, firm } = this.#decision;
    const to = decision.plan;
    this.#decision = decision;
    const isSame = from.batchSize === to.batchSize && from.microBatchSize === to.microBatchSize;
    // The size that was being tried out is the one to keep: the same plan, for a reason of its own.
    const isSettled = firm === true && decision.firm === true && decision.reason.code !== before.code;
    if (isSame && !isSettled && decision.snapshot !== 'restore') return;
    if (!isSame) this.#stepsAtPlan = 0;
    this.#planChanges += 1;
    await this.#tell('planChanged', { ...this.#book.progress, from, to, reason: decision.reason });
  }

  async #keepWeights(): Promise<void> {
    if (this.#decision.snapshot === undefined) return;
    await this.#asOverhead(() => this.#reviving(() => this.#snapshots.obey(this.#decision)));
  }

  /** Before anybody looks at the weights: those that are given up are not the model's. Copies can wait for the next step. */
  async #restoreWeights(): Promise<void> {
    if (this.#decision.snapshot === 'restore') await this.#keepWeights();
  }

  /** Copies of the weights are no training. */
  async #asOverhead(work: () => Promise<void>): Promise<void> {
    const started = this.#settings.clock();
    await work();
    this.#book.ledger.addOverhead(this.#settings.clock() - started);
  }

  async #validate(): Promise<void> {
    const { backend, validation } = this.#options;
    if (!validation) return;
    await this.#restoreWeights();
    await backend.settle();
    const started = this.#settings.clock();
    const { batchSize } = validation;
    const size = batchSize === undefined ? {} : { batchSize };
    const result = await this.#reviving(() => evaluate(backend, validation.source, size));
    const seconds = this.#settings.clock() - started;
    this.#deviceIsIdle = true;
    this.#book.countValidation(result, seconds);
    await this.#tell('validated', { ...this.#book.progress, result, seconds });
  }

  /** Work still queued on the device would be booked on the next step. */
  async #settleBeforeTiming(): Promise<void> {
    if (this.#deviceIsIdle || !this.#decision.measure.includes('seconds')) return;
    await this.#options.backend.settle();
    this.#deviceIsIdle = true;
  }

  #refuseUnmeasurable(): void {
    const { backend, controller } = this.#options;
    const missing = controller.measures.filter((measurement) => !backend.can.has(measurement));
    if (missing.length > 0)
      throw new TrainingError('cannotMeasure', `${controller.name} needs ${missing.join(', ')} measured.`, {
        hint: `Backend ${backend.name} measures ${[...backend.can].join(', ')}; take another controller.`,
      });
  }

  #refuseDeafBackend(): void {
    const { backend } = this.#options;
    if (backend.can.has('exampleLosses')) return;
    throw new TrainingError('cannotMeasure', 'The source needs the loss of each example.', {
      hint: `Backend ${backend.name} measures ${[...backend.can].join(', ')}; take a source that learns nothing.`,
    });
  }

  /** `runFinished` is always sent, and the first error is the one that counts. */
  async #finish(failure: { readonly error: unknown } | undefined): Promise<RunSummary<State>> {
    const { backend, source } = this.#options;
    const book = this.#book;
    book.losses.dispose();
    this.#snapshots.dispose();
    const stoppedBy = failure ? 'error' : (book.stoppedBy ?? 'epochs');
    const totals = book.ledger.totals(book.seconds);
    const end = { ...book.progress, stoppedBy, totals } as const;
    let failed = failure;
    let memory: MemoryReading | undefined;
    for (const last of [() => (memory = backend.memory()), () => backend.endRun()]) {
      try {
        await last();
      } catch (error) {
        failed ??= { error };
      }
    }
    const status = stoppedBy === 'abort' ? 'aborted' : 'completed';
    try {
      const report = failed ? ({ status: 'failed', error: failed.error } as const) : ({ status } as const);
      await this.#tell('runFinished', { ...end, ...report, memory });
    } catch (error) {
      failed ??= { error };
    }
    if (failed) throw failed.error;
    const { epoch, step, examples } = book.progress;
    const checkpoint = {
      epoch,
      examplesIntoEpoch: book.examplesIntoEpoch,
      step,
      examples,
      decision: this.#decision,
      ...(source.state && { source: source.state() }),
    };
    return { ...end, status, validation: book.latestValidation, checkpoint };
  }
}
