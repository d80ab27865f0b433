import type { Backend } from './backend.ts';
import type { Clock } from './clock.ts';
import type { BatchPlan, FailedStep, Measurement } from './controller.ts';
import { GradientMeter } from './gradient-meter.ts';
import { GradientSum } from './gradient-sum.ts';
import type { Deferred, GradientMoments, MemoryReading } from './measurements.ts';

/** One optimizer update to be tried. */
export interface StepRequest<Batch> {
  readonly batch: Batch;
  readonly plan: BatchPlan;
  readonly measure: ReadonlySet<Measurement>;
  /** What the gradient is measured on, beside the update; the batch itself where it is not given. */
  readonly noiseBatch?: Batch | undefined;
  /** The whole factor on the learning rate. */
  readonly learningRateScale: number;
  /** Whether the source wants to hear the loss of each example. */
  readonly exampleLosses: boolean;
}

/** A loss and the examples it is the mean over. */
export interface PartLoss {
  readonly loss: Deferred;
  readonly examples: number;
}

/** What an applied update left to be booked. */
export interface AppliedUpdate {
  readonly kind: 'applied';
  /** Examples of the largest part. */
  readonly microBatchSize: number;
  /** Known only where the loss was measured; otherwise `losses` is handed over, still on the device. */
  readonly loss: number | undefined;
  readonly losses: readonly PartLoss[];
  /** In the order of the batch; empty where nobody asked. */
  readonly exampleLosses: readonly number[];
  readonly gradient: GradientMoments | undefined;
  readonly memory: MemoryReading | undefined;
  readonly measuringSeconds: number;
}

/**
 * Tries one update: micro-batch gradients at the same weights, averaged by their examples, applied once. On failure
 * nothing was applied and nothing is left on the device.
 * @throws what the device threw, where the backend does not recognise it
 */
export async function tryStep<Batch, Gradient>(
  backend: Backend<Batch, Gradient>,
  request: StepRequest<Batch>,
  clock: Clock,
): Promise<AppliedUpdate | FailedStep> {
  const trial = new StepTrial(backend, request, clock);
  try {
    return await trial.run();
  } catch (cause) {
    const kind = backend.classify(cause);
    // From the update on, nothing may pass for a step that was not applied: its examples would be trained on twice. A
    // lost device takes the update with it.
    if (kind === 'other' || (trial.mayBeApplied && kind !== 'deviceLost')) throw cause;
    return trial.failed(kind, cause);
  } finally {
    trial.dispose();
  }
}

/** One try and all that it has on the device. */
class StepTrial<Batch, Gradient> {
  mayBeApplied = false;
  readonly #backend: Backend<Batch, Gradient>;
  readonly #request: StepRequest<Batch>;
  readonly #clock: Clock;
  readonly #size: number;
  readonly #microBatchSize: number;
  readonly #meter: GradientMeter<Gradient> | undefined;
  readonly #losses: PartLoss[] = [];
  readonly #exampleLosses: Deferred<ArrayLike<number>>[] = [];
  readonly #sum: GradientSum<Gradient>;
  #noiseSum: GradientSum<Gradient> | undefined;
  #handsLossesOver = false;

  constructor(backend: Backend<Batch, Gradient>, request: StepRequest<Batch>, clock: Clock) {
    this.#backend = backend;
    this.#request = request;
    this.#clock = clock;
    this.#size = backend.sizeOf(request.batch);
    const { noiseBatch, measure, plan } = request;
    const measuredSize = noiseBatch === undefined ? this.#size : backend.sizeOf(noiseBatch);
    const isMeasured = measure.has('gradient') && measuredSize > 1;
    this.#meter = isMeasured ? new GradientMeter(backend, clock) : undefined;
    this.#microBatchSize = partSize(this.#size, plan, isMeasured && noiseBatch === undefined);
    this.#sum = new GradientSum(backend, this.#size, noiseBatch === undefined ? this.#meter : undefined);
  }

  async run(): Promise<AppliedUpdate | FailedStep> {
    const { measure, plan, learningRateScale } = this.#request;
    await this.#meter?.open();
    const total = await this.#meanGradient();
    const measuredSize = await this.#measureApart();
    await this.#backend.confirm?.();
    const loss = measure.has('loss') ? await meanOf(this.#losses, this.#size) : undefined;
    if (loss !== undefined && !Number.isFinite(loss))
      return this.failed('nonFinite', new Error(`The loss of this batch is ${loss}.`));
    this.mayBeApplied = true;
    await this.#backend.apply(total, learningRateScale, plan.momentDecayScale);
    const gradient = await this.#meter?.read(measuredSize);
    if (measure.has('seconds')) await this.#backend.settle();
    const exampleLosses = await readAll(this.#exampleLosses);
    const memory = measure.has('memory') ? this.#backend.memory() : undefined;
    this.#handsLossesOver = loss === undefined;
    return {
      kind: 'applied',
      microBatchSize: this.#microBatchSize,
      loss,
      losses: this.#losses,
      exampleLosses,
      gradient,
      memory,
      measuringSeconds: this.#meter?.seconds ?? 0,
    };
  }

  failed(kind: FailedStep['kind'], cause: unknown): FailedStep {
    return { kind, plan: this.#request.plan, microBatchSize: this.#microBatchSize, cause };
  }

  dispose(): void {
    this.#sum.dispose();
    this.#noiseSum?.dispose();
    this.#meter?.dispose();
    for (const losses of this.#exampleLosses) losses.dispose();
    if (!this.#handsLossesOver) for (const { loss } of this.#losses) loss.dispose();
  }

  async #meanGradient(): Promise<Gradient> {
    const parts = this.#backend.split(this.#request.batch, this.#microBatchSize);
    for (const part of parts) {
      const examples = this.#backend.sizeOf(part);
      const { gradient, loss, exampleLosses } = await this.#backend.gradient(part, this.#request);
      this.#losses.push({ loss, examples });
      if (exampleLosses) this.#exampleLosses.push(exampleLosses);
      this.#sum.add(gradient, examples, parts.length === 2);
    }
    if (this.#sum.total === undefined)
      throw new Error(`The backend split a batch of ${this.#size} examples into nothing.`);
    return this.#sum.total;
  }

  /** At the weights of the step, for the meter only. Answers how many examples it saw in all. */
  async #measureApart(): Promise<number> {
    const { noiseBatch, plan } = this.#request;
    if (!this.#meter || noiseBatch === undefined) return this.#size;
    const [before, started] = [this.#meter.seconds, this.#clock()];
    const size = this.#backend.sizeOf(noiseBatch);
    this.#noiseSum = new GradientSum(this.#backend, size, this.#meter);
    const parts = this.#backend.split(noiseBatch, partSize(size, plan, true));
    for (const part of parts) {
      const { gradient, loss } = await this.#backend.gradient(part);
      loss.dispose();
      this.#noiseSum.add(gradient, this.#backend.sizeOf(part), parts.length === 2);
    }
    this.#meter.seconds = before + this.#clock() - started;
    return size;
  }
}

/** A measured step has at least two parts, as equal as they come. */
function partSize(size: number, plan: BatchPlan, measured: boolean): number {
  if (!measured) return Math.min(size, plan.microBatchSize);
  return Math.ceil(size / Math.max(2, Math.ceil(size / plan.microBatchSize)));
}

async function meanOf(losses: readonly PartLoss[], size: number): Promise<number> {
  let sum = 0;
  for (const { loss, examples } of losses) sum += (await loss.read()) * examples;
  return sum / size;
}

async function readAll(parts: readonly Deferred<ArrayLike<number>>[]): Promise<number[]> {
  let losses: number[] = [];
  for (const part of parts) losses = losses.concat(Array.from(await part.read()));
  return losses;
}
