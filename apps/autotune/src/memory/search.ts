import { setImmediate } from 'node:timers/promises';
import { memoryTrial, staticLimits, type ArrayBatch, type tfjsBackend } from '@batchwise/backend';
import type { Engine, LayersTf } from '@batchwise/backend/node';
import type { BatchSource } from '@batchwise/core';
import {
  findCeiling,
  type Ceiling,
  type CeilingOptions,
  type MemoryMeter,
  type Trial,
  type TrialRecord,
} from '@batchwise/memory-probe';
import type { Budget } from './budget.ts';

/** One trial as it is shown and written: what it took, and how fast its last step was. */
export type TimedTrial = TrialRecord & { readonly examplesPerSecond: number | null };

/** A ceiling with the throughput that was seen on the way. */
export type TimedCeiling = Omit<Ceiling, 'trials'> & { readonly trials: readonly TimedTrial[] };

/** What is searched, and how far. */
export interface Search {
  readonly engine: Pick<Engine, 'tf'>;
  readonly model: ReturnType<LayersTf['sequential']>;
  /** Of this model, not in use. */
  readonly backend: ReturnType<typeof tfjsBackend>;
  /** Where the largest example is not the first, sizes may be predicted too large. */
  readonly source: BatchSource<ArrayBatch> & { readonly size: number };
  readonly budget: Budget;
  /** Default: what memoryTrial takes. */
  readonly meter?: MemoryMeter | undefined;
  readonly limits?: Pick<
    CeilingOptions,
    'start' | 'min' | 'max' | 'maxTrials' | 'maxSeconds' | 'isEnough' | 'canary'
  >;
  readonly signal: AbortSignal;
  readonly onTrial: (trial: TimedTrial) => void;
}

const clock = (): number => performance.now() / 1000;

/**
 * The largest size that trains on this engine within the budget. The model is trained for the trials, and is afterwards
 * as it was.
 * @throws the reason of `signal` where it is aborted, and what `findCeiling` throws
 */
export async function searchCeiling(search: Search): Promise<TimedCeiling> {
  const { engine, model, backend, source, budget, meter, limits = {}, signal, onTrial } = search;
  const trials: TimedTrial[] = [];
  const trial = memoryTrial(engine.tf, model, { source, backend, clock, ...(meter && { meter }) });
  const interruptible: Trial = async (request) => {
    // On wasm nothing waits: without a pause Ctrl-C would not be heard before the end.
    await setImmediate();
    return trial(request);
  };
  const found = await findCeiling(interruptible, {
    ...limits,
    ...(budget.bytes === undefined ? {} : { budgetBytes: budget.bytes }),
    ...(budget.safety === undefined ? {} : { safety: budget.safety }),
    datasetSize: source.size,
    staticLimits: staticLimits(engine.tf, model),
    clock,
    signal,
    onTrial: (trial) => {
      const timed = withSpeed(trial);
      trials.push(timed);
      onTrial(timed);
    },
  });
  return { ...found, trials };
}

function withSpeed(trial: TrialRecord): TimedTrial {
  const { batchSize, stepSeconds, verdict } = trial;
  const isUsable = stepSeconds !== null && stepSeconds > 0 && verdict !== 'wrong';
  return { ...trial, examplesPerSecond: isUsable ? batchSize / stepSeconds : null };
}
