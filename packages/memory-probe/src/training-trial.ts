import { backendMeter, type MemoryMeter } from './meters.ts';
import type { ProbedBackend, ProbedSource } from './probed-backend.ts';
import type { PeakReading } from './reading.ts';
import { accumulated, takeCanary } from './training-canary.ts';
import type { Awaitable, Trial, TrialOutcome, TrialRequest } from './trial.ts';

/** All that training writes, as it was when it was kept. */
export interface KeptState {
  /** Bytes of weights and optimizer state. */
  readonly bytes: number;
  /** Puts everything back, bit for bit, and frees the copy. */
  restore(): Awaitable<void>;
}

/** What a trial trains, and how much. */
export interface TrainingTrialOptions<Batch, Gradient> {
  readonly backend: ProbedBackend<Batch, Gradient>;
  /** Each trial takes the first examples of epoch 0 with a cursor of its own; where examples differ in size, give one that
   * begins with the largest. */
  readonly source: ProbedSource<Batch>;
  /** Keeps weights and optimizer before a trial; called once for each. */
  readonly keep: () => Awaitable<KeptState>;
  /** Default: what the backend tracks. */
  readonly meter?: MemoryMeter;
  /** Updates of a trial, 2 or more: the first makes the optimizer's state. Default 2. */
  readonly steps?: number;
  /** Micro-batches whose gradients are added up for an update; with 2 there is one more gradient in memory. Default 1. */
  readonly microBatches?: number;
  /** Seconds from any fixed origin; with one, a trial tells how long its last update took. */
  readonly clock?: () => number;
  /** Whether an error that is out of memory to `classify` is a limit of the device instead, such as a buffer's size. */
  readonly isDeviceLimit?: (error: unknown) => boolean;
}

/**
 * A trial in this process, on the model that is going to be trained: real steps, their peak memory, and the canary. Weights,
 * optimizer, random numbers (`Math.random`) and the order of the examples are afterwards as they were before. For engines
 * that survive a full memory; for the others there is `isolatedTrial` of @batchwise/memory-probe/node, since there the
 * trial can only throw.
 * @throws RangeError when `steps` is below 2 or `microBatches` below 1
 */
export function trainingTrial<Batch, Gradient>(options: TrainingTrialOptions<Batch, Gradient>): Trial {
  const { steps = 2, microBatches = 1 } = options;
  for (const [name, value, least] of [
    ['steps', steps, 2] as const,
    ['microBatches', microBatches, 1] as const,
  ])
    if (!(Number.isInteger(value) && value >= least))
      throw new RangeError(`${name} is ${value}; give a whole number of at least ${least}.`);
  const settings = { ...options, steps, microBatches, meter: options.meter ?? backendMeter(options.backend) };
  return (request) => withOwnRandom(() => tryTraining(settings, request));
}

type Settings<Batch, Gradient> = TrainingTrialOptions<Batch, Gradient> & {
  readonly steps: number;
  readonly microBatches: number;
  readonly meter: MemoryMeter;
};

async function tryTraining<Batch, Gradient>(
  settings: Settings<Batch, Gradient>,
  request: TrialRequest,
): Promise<TrialOutcome> {
  const { backend } = settings;
  const kept = await settings.keep();
  const end = await attempt(settings, request, kept).then(
    (outcome) => ({ outcome, error: undefined }),
    async (error: unknown) => ({ outcome: await explain(settings, error), error }),
  );
  try {
    await kept.restore();
    await backend.endRun();
  } catch (broken) {
    // An engine that did not survive: what killed it is the error to report.
    throw end.error ?? broken;
  }
  if (end.outcome === undefined) throw end.error;
  return end.outcome;
}

async function attempt<Batch, Gradient>(
  settings: Settings<Batch, Gradient>,
  request: TrialRequest,
  kept: KeptState,
): Promise<TrialOutcome> {
  const { backend } = settings;
  const batch = await settings.source.epoch(0).take(request.batchSize);
  if (batch === undefined) throw new RangeError('The source has no examples.');
  const examples = backend.sizeOf(batch);
  const { steps, stepSeconds, peak } = await train(settings, batch, { kept, request });
  const partSize = request.referenceSize;
  const canary = partSize === null ? null : await takeCanary(backend, batch, partSize);
  return { kind: 'trained', steps, examples, peak, stepSeconds, canary };
}

/** What a failure says of the size; undefined where it says nothing. */
async function explain<Batch, Gradient>(
  { backend, isDeviceLimit = () => false }: Settings<Batch, Gradient>,
  error: unknown,
): Promise<TrialOutcome | undefined> {
  const message = error instanceof Error ? error.message : String(error);
  const verdict = backend.classify(error);
  if (verdict === 'outOfMemory')
    return { kind: 'tooBig', limit: isDeviceLimit(error) ? 'deviceLimit' : 'memory', message };
  if (verdict !== 'deviceLost' || !backend.revive) return undefined;
  await backend.revive(error);
  return { kind: 'lost', message };
}

/**
 * Each update is metered in two phases, for the optimizer's temporaries hide the growth of small batches. The first update
 * counts as well: where steps become graphs, it is the one that runs kernel by kernel and takes the most.
 */
async function train<Batch, Gradient>(
  settings: Settings<Batch, Gradient>,
  batch: Batch,
  { kept, request }: { readonly kept: KeptState; readonly request: TrialRequest },
): Promise<{
  readonly steps: number;
  readonly stepSeconds: number | null;
  readonly peak: PeakReading | null;
}> {
  const { backend, meter, clock } = settings;
  const baseBytes = Math.max(kept.bytes, (await meter.fixedBytes?.()) ?? 0);
  let peakBytes = 0;
  let gradientPeakBytes = 0;
  let isKnown = true;
  const note = async (): Promise<number | null> => {
    await backend.settle();
    const reading = await meter.read();
    isKnown &&= reading !== null;
    peakBytes = Math.max(peakBytes, reading?.peakBytes ?? 0);
    return reading?.peakBytes ?? null;
  };
  let steps = 0;
  let stepSeconds: number | null = null;
  for (; steps < settings.steps; steps += 1) {
    if (request.signal?.aborted) throw request.signal.reason ?? new Error('The trial was aborted.');
    await meter.begin();
    const startedAt = clock?.();
    const gradient = await meanGradient(settings, batch);
    try {
      gradientPeakBytes = Math.max(gradientPeakBytes, (await note()) ?? 0);
      await backend.apply(gradient, 1);
    } finally {
      backend.release(gradient);
    }
    await note();
    stepSeconds = clock && startedAt !== undefined ? clock() - startedAt : null;
  }
  const { source, certainty } = meter;
  const peak = { peakBytes, gradientPeakBytes, baseBytes, source, certainty };
  return { steps, stepSeconds, peak: isKnown ? peak : null };
}

/** As the training loop adds up micro-batches: all of them are this batch. */
async function meanGradient<Batch, Gradient>(
  { backend, microBatches }: Settings<Batch, Gradient>,
  batch: Batch,
): Promise<Gradient> {
  let total: Gradient | undefined;
  try {
    for (let k = 0; k < microBatches; k += 1) {
      const { gradient, loss } = await backend.gradient(batch);
      loss.dispose();
      total = accumulated(backend, { total, part: gradient, share: 1 / microBatches });
    }
    await backend.confirm?.();
    if (total === undefined) throw new RangeError('There is no gradient without a micro-batch.');
    return total;
  } catch (error) {
    if (total !== undefined) backend.release(total);
    throw error;
  }
}

/**
 * Dropout without a seed draws from `Math.random`, which a program may have seeded: while a trial runs, numbers come from a
 * generator of its own (Marsaglia, "Xorshift RNGs", J. Stat. Soft. 8(14), 2003), so that none of the program's are used up.
 */
async function withOwnRandom<T>(work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  let state = 2463534242;
  Math.random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}
