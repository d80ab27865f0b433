import type { StepTimes } from './step-time.ts';

/** What a step of one size took in an earlier run. */
export interface PriorStepTime {
  /** Examples per update. */
  readonly batchSize: number;
  /** Micro-batches that it ran in. */
  readonly parts: number;
  /** What an ordinary step usually takes, in seconds. */
  readonly seconds: number;
  /** Seconds of the first step of this size, null where unknown. */
  readonly firstSeconds: number | null;
}

/** What earlier runs of the same model, data, optimizer and engine found; `priorOf` makes it from a tuning record. */
export interface TuningPrior {
  readonly stepTimes: readonly PriorStepTime[];
  /** Gradient noise scale in examples; not given where it was not measured. */
  readonly noiseScale?: number | undefined;
}

/** The times as if one step of each size had just run; with fewer than two sizes there is nothing to choose by. */
export function priorTimes(prior: TuningPrior | undefined): StepTimes | undefined {
  if (!prior || prior.stepTimes.length < 2) return undefined;
  return [...prior.stepTimes]
    .sort((a, b) => a.batchSize - b.batchSize)
    .map(({ batchSize, parts, seconds, firstSeconds }) => ({
      batchSize,
      parts,
      firstSeconds,
      seconds: [seconds],
    }));
}
