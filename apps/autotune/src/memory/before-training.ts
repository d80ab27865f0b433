import { tfjsBackend } from '@batchwise/backend';
import type { Engine, LayersTf } from '@batchwise/backend/node';
import { cacheDirectory, type imageSource } from '@batchwise/data';
import { largestBatchSize } from '@batchwise/tuner';
import type { TrainCommandOptions } from '../train-options.ts';
import { budgetOf } from './budget.ts';
import { CeilingStore } from './ceiling-store.ts';
import { deviceMemory } from './device-memory.ts';
import { ceilingForRun, type RunCeiling } from './run-ceiling.ts';

/** What is about to be trained, on what. */
export interface Training {
  readonly engine: Engine;
  readonly model: ReturnType<LayersTf['sequential']>;
  readonly source: ReturnType<typeof imageSource>;
  readonly signal: AbortSignal;
}

/** What fits, for `batchwise train`; null where it is not to be looked for. */
export async function probeBeforeTraining(
  options: TrainCommandOptions,
  training: Training,
): Promise<RunCeiling | null> {
  const { probe, microBatchSize, batchSize, epochs, maxSeconds, policy } = options;
  if (!probe || microBatchSize !== undefined) return null;
  const { size } = training.source;
  const examples = epochs * size;
  const run = { datasetSize: size, plannedExamples: examples };
  const start = Math.min(batchSize, size);
  const largest = largestBatchSize(policy, options, run);
  return ceilingForRun({
    ...training,
    // Kernel by kernel a step takes the most memory, and two of them are sooner done than graphs are made.
    backend: tfjsBackend(training.engine.tf, training.model, { traced: false }),
    budget: await budgetOf(training.engine, options),
    meter: deviceMemory(training.engine).meter,
    plan: { start, largest, examples, maxSeconds },
    store: new CeilingStore(cacheDirectory()),
  });
}
