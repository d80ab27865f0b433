import {
  memoryTrial,
  staticLimits,
  tfjsBackend,
  WASM_BUDGET_BYTES,
  type ArrayBatch,
} from '@batchwise/backend';
import type { BatchSource } from '@batchwise/core';
import {
  findCeiling,
  limitsOfRun,
  obviousPeakBytes,
  type Ceiling,
  type RunSizes,
} from '@batchwise/memory-probe';
import { count, percent } from './format.ts';
import type { LayersModel, Tf } from './tf.ts';

/** What a fit found out about memory before its first step. */
export interface ProbedMemory {
  /** Examples that may be on the device at once, null where not even one; undefined where nothing is known to bound them. */
  readonly batchSize: number | null | undefined;
  /** What was found, or why nothing was looked for, in a sentence. */
  readonly text: string;
}

/** What is about to be fitted. */
export interface ProbedFit {
  readonly tf: Tf;
  readonly model: LayersModel;
  /** Not read yet; the trials open cursors of their own. */
  readonly source: BatchSource<ArrayBatch>;
  /** Batch that the fit starts with, and the largest that it may choose. */
  readonly plan: RunSizes;
  /** What a step may take, where the user knows it. */
  readonly budgetBytes: number | undefined;
}

/** What others may take meanwhile, and what the process takes beside its tensors. */
const SHARE_OF_FREE = 0.8;

/**
 * What fits on the device, found by training the model itself at a few sizes; weights, optimizer and random numbers are as
 * they were afterwards. Nothing is tried where the fit may not choose a larger batch than it starts with, and one small
 * trial is enough where the largest batch obviously fits; else it costs up to 4 % of the examples of the fit: beside a small
 * one there are four trials at most, each goes through its batch about five times (two updates and a canary), and no batch
 * is larger than a 500th of the fit. On engines in host memory of which nobody knows how much is free, and on WebGL, nothing
 * is tried either.
 */
export async function probeMemory(fit: ProbedFit): Promise<ProbedMemory> {
  const { tf, plan } = fit;
  const { start, largest } = plan;
  const notProbed = (why: string): ProbedMemory => ({
    batchSize: undefined,
    text: `Memory not probed: ${why}.`,
  });
  const budget = fit.budgetBytes ?? budgetOf(tf);
  if (largest <= start) return notProbed(`the batch does not grow beyond ${count(start)}`);
  if (budget === undefined) return notProbed('nobody knows how much is free; give ceiling or memoryBytes');
  try {
    const budgetBytes = Number.isFinite(budget) ? budget : undefined;
    const found = await search(fit, budgetBytes);
    const mostBytes = obviousPeakBytes(found.trials, largest, budgetBytes);
    if (budgetBytes !== undefined && mostBytes !== undefined)
      return {
        batchSize: undefined,
        text: `Memory: the largest batch, ${count(largest)}, takes ${percent(mostBytes / budgetBytes)} of what there is at most.`,
      };
    return { batchSize: boundOf(found, largest), text: `Memory: ${found.reason}` };
  } catch (error) {
    return notProbed(error instanceof Error ? error.message : String(error));
  }
}

function search({ tf, model, source, plan }: ProbedFit, budgetBytes: number | undefined): Promise<Ceiling> {
  // What a step takes as one graph is not seen by the engine's own count, so it runs kernel by kernel here.
  const backend = tfjsBackend(tf, model, { traced: false });
  return findCeiling(memoryTrial(tf, model, { source, backend }), {
    ...limitsOfRun(plan, { budgetBytes }),
    ...(budgetBytes !== undefined && { budgetBytes }),
    ...(source.size !== undefined && { datasetSize: source.size }),
    staticLimits: staticLimits(tf, model),
  });
}

/** What was proved, and no more, also where the search was cut short: a failure would end a `fitDataset`. */
const boundOf = ({ batchSize }: Ceiling, largest: number): number | null | undefined =>
  batchSize !== null && batchSize >= largest ? undefined : batchSize;

declare const process: { availableMemory?(): number } | undefined;

/**
 * Bytes that a step may take on the present engine; infinite where it survives one that takes too much, so that sizes may
 * grow until one fails, and undefined where it does not and nobody knows how much there is.
 */
function budgetOf(tf: Tf): number | undefined {
  const free = typeof process === 'undefined' ? undefined : process.availableMemory?.();
  const usable = free === undefined ? undefined : SHARE_OF_FREE * free;
  switch (tf.getBackend()) {
    case 'wasm':
      return Math.min(WASM_BUDGET_BYTES, usable ?? Infinity);
    case 'webgpu':
      return Infinity;
    case 'tensorflow':
      return (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true ? Infinity : usable;
    case 'cpu':
      return usable;
    default:
      return undefined;
  }
}
