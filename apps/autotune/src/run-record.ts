import type { BatchPlan, Evaluation, Observer, Reason, RunEvents, TimeTotals } from '@batchwise/core';
import type { PolicyName } from '@batchwise/tuner';
import type { RunCeiling } from './memory/run-ceiling.ts';

interface PlanEntry extends BatchPlan {
  readonly step: number;
  readonly examples: number;
  readonly reason: Reason;
}

interface EpochEntry {
  /** Counted from 1. */
  readonly epoch: number;
  /** Of this epoch alone, as are the steps and the seconds. */
  readonly examples: number;
  readonly steps: number;
  readonly seconds: number;
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
}

/** What is known of a run before it starts. */
export interface RunSetting {
  readonly seed: number;
  readonly dataset: { name: string; source: string; trainExamples: number; validationExamples: number };
  readonly model: { name: string; parameters: number };
  readonly backend: { name: string; version: string; device: string };
  readonly policy: { name: PolicyName; options: Readonly<Record<string, number | string>> };
  readonly optimizer: { name: string; learningRate: number };
  /** The order of the training examples. */
  readonly sampler: {
    readonly name: string;
    readonly curriculumEpochs?: number;
    readonly beta?: number;
    readonly floor?: number;
  };
}

/** What a run found out before its first step. */
export interface Beforehand {
  /** Null where nothing was looked for. */
  readonly probe: RunCeiling | null;
}

/** `batchwise.run/1`: one run, as `--json` writes it. */
export interface RunRecord extends RunSetting, Beforehand {
  readonly schema: 'batchwise.run/1';
  readonly status: RunEvents['runFinished']['status'];
  readonly epochs: readonly EpochEntry[];
  readonly plans: readonly PlanEntry[];
  readonly totals: TimeTotals & { readonly steps: number; readonly examples: number };
  readonly test: { readonly loss: number; readonly accuracy: number } | null;
  readonly memory: { readonly peakBytes: number; readonly source: string } | null;
  /** Only of a failed run. */
  readonly error?: string;
}

/** The accuracy among the metrics of a model that was compiled with `metrics: ['accuracy']`. */
export const accuracyOf = (evaluation: Evaluation | undefined): number | undefined =>
  evaluation?.metrics['acc'];

const finiteOrNull = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

/** Collects a run into its record. */
export class RunRecorder {
  readonly #setting: RunSetting & Beforehand;
  readonly #epochs: EpochEntry[] = [];
  readonly #plans: PlanEntry[] = [];
  #end: RunEvents['runFinished'] | undefined;

  constructor(setting: RunSetting & Beforehand) {
    this.#setting = setting;
  }

  get plans(): readonly PlanEntry[] {
    return this.#plans;
  }

  readonly observer: Observer = {
    name: 'run record',
    onRunStarted: ({ plan, reason }) => void this.#plans.push({ step: 0, examples: 0, ...plan, reason }),
    onPlanChanged: ({ step, examples, to, reason }) =>
      void this.#plans.push({ step, examples, ...to, reason }),
    onEpochFinished: ({ epoch, epochExamples, epochSteps, seconds, trainLoss, validation }) =>
      void this.#epochs.push({
        epoch: epoch + 1,
        examples: epochExamples,
        steps: epochSteps,
        seconds,
        trainLoss: finiteOrNull(trainLoss),
        validationLoss: finiteOrNull(validation?.loss),
        validationAccuracy: finiteOrNull(accuracyOf(validation)),
      }),
    onRunFinished: (event) => void (this.#end = event),
  };

  /** The record of the run once it has ended, undefined before. */
  record(test: Evaluation | undefined): RunRecord | undefined {
    const end = this.#end;
    if (!end) return undefined;
    const { status, step, examples, totals, memory, error } = end;
    return {
      schema: 'batchwise.run/1',
      status,
      ...this.#setting,
      epochs: this.#epochs,
      plans: this.#plans,
      totals: { steps: step, examples, ...withProbe(totals, this.#setting.probe) },
      test: test ? { loss: test.loss, accuracy: accuracyOf(test) ?? NaN } : null,
      memory: memory ? { peakBytes: memory.peakBytes, source: memory.source } : null,
      ...(error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) }),
    };
  }
}

/** What was spent on trials was spent on tuning. */
const withProbe = (totals: TimeTotals, probe: RunCeiling | null): TimeTotals => ({
  ...totals,
  seconds: totals.seconds + (probe?.seconds ?? 0),
  tuningSeconds: totals.tuningSeconds + (probe?.seconds ?? 0),
});
