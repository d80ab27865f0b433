import type { Backend } from './backend.ts';
import type { Clock } from './clock.ts';
import type { BatchPlan, FailedStep, Measurement } from './controller.ts';
import { GradientMeter } from './gradient-meter.ts';
import type { Deferred, GradientMoments, MemoryReading } from './measurements.ts';

/** One optimizer update to be tried. */
export interface StepRequest<Batch> {
  readonly batch: Batch;
  readonly plan: BatchPlan;
  readonly measure: ReadonlySet<Measurement>;
  /** The whole factor on the learning rate. */
  readonly learningRateScale: number;
}

/** A loss and the examples it is the mean over. */
export interface PartLoss {
  readonly loss: Deferred;
  readonly examples: number;
}

/** What an applied update left to be booked. */
export interface AppliedUpdate {
  readonly kind: 'applied';
  /** Known only where the loss was measured; otherwise `losses` is handed over, still on the device. */
  readonly loss: number | undefined;
  readonly losses: readonly PartLoss[];
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
  const { batch, plan, measure } = request;
  const size = backend.sizeOf(batch);
  const meter = measure.has('gradient') && size > 1 ? new GradientMeter(backend, clock) : undefined;
  const losses: PartLoss[] = [];
  let total: Gradient | undefined;
  let keepLosses = false;
  let pending: Gradient | undefined;
  let mayBeApplied = false;
  try {
    for (const part of backend.split(batch, partSize(size, plan, meter !== undefined))) {
      const examples = backend.sizeOf(part);
      const { gradient, loss } = await backend.gradient(part);
      losses.push({ loss, examples });
      pending = gradient;
      meter?.add(total, gradient, examples);
      total = backend.accumulate(total, gradient, examples / size);
      pending = undefined;
    }
    await backend.confirm?.();
    if (total === undefined) throw new Error(`The backend split a batch of ${size} examples into nothing.`);
    const loss = measure.has('loss') ? await meanOf(losses, size) : undefined;
    if (loss !== undefined && !Number.isFinite(loss))
      return { kind: 'nonFinite', plan, cause: new Error(`The loss of this batch is ${loss}.`) };
    mayBeApplied = true;
    await backend.apply(total, request.learningRateScale);
    const gradient = await meter?.read(size);
    if (measure.has('seconds')) await backend.settle();
    keepLosses = loss === undefined;
    const memory = measure.has('memory') ? backend.memory() : undefined;
    return { kind: 'applied', loss, losses, gradient, memory, measuringSeconds: meter?.seconds ?? 0 };
  } catch (cause) {
    const kind = backend.classify(cause);
    // From the update on, nothing may pass for a step that was not applied: its examples would be trained on twice. A
    // lost device takes the update with it.
    if (kind === 'other' || (mayBeApplied && kind !== 'deviceLost')) throw cause;
    return { kind, plan, cause };
  } finally {
    for (const gradient of [total, pending]) if (gradient !== undefined) backend.release(gradient);
    meter?.dispose();
    if (!keepLosses) for (const { loss } of losses) loss.dispose();
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
