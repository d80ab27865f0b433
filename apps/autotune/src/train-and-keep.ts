import type { LayersTf } from '@batchwise/backend/node';
import type { Evaluation, Json, RunSummary } from '@batchwise/core';
import type { RunTracer } from '@batchwise/tuner';
import { writeJson } from './destinations.ts';
import { explainError } from './errors.ts';
import { row } from './format.ts';
import type { Learned } from './learned.ts';
import type { RunRecorder } from './run-record.ts';
import { hasFiniteWeights, saveModel } from './save-model.ts';
import { summaryOf } from './summary.ts';
import type { TrainCommandOptions } from './train-options.ts';

/** A run that is ready to start, and what is to be left of it. */
export interface ReadyRun {
  readonly options: Pick<TrainCommandOptions, 'save' | 'json' | 'trace' | 'targetAccuracy'>;
  readonly print: (line: string) => void;
  readonly tf: LayersTf;
  readonly model: ReturnType<LayersTf['sequential']>;
  readonly recorder: Pick<RunRecorder, 'record'>;
  readonly tracer: Pick<RunTracer, 'trace'>;
  readonly learned: Pick<Learned, 'keep'>;
  readonly train: () => Promise<Pick<RunSummary<Json>, 'status' | 'step'>>;
  readonly test: () => Promise<Evaluation>;
}

/** A model that was trained and cannot be kept. */
class NotSavedError extends Error {
  readonly code = 'notSaved';
}

/**
 * Trains, and keeps what came of it before anything else can fail: what the run learned, the model, then the test and the
 * records. What cannot be kept does not stop the rest.
 * @throws the first of what failed; the others are printed
 */
export async function trainAndKeep(run: ReadyRun): Promise<void> {
  const { options, print, recorder, tracer, learned } = run;
  const { json, trace, targetAccuracy } = options;
  const errors: unknown[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  const summary = await attempt(run.train);
  const isComplete = summary?.status === 'completed';
  const unkept = isComplete ? await attempt(() => learned.keep()) : undefined;
  if (unkept) print(unkept);
  const modelText = await attempt(() =>
    summary ? savedText(run, summary.step) : rescuedText(run, errors[0]),
  );
  const test = isComplete ? await attempt(run.test) : undefined;
  const record = recorder.record(test);
  if (record) print(`\n${summaryOf(record, targetAccuracy)}`);
  if (modelText) print(row('Model', modelText));
  const write = async (subject: string, path: string, value: unknown): Promise<void> => {
    await writeJson(path, value);
    print(row(subject, `written to ${path}`));
  };
  if (record && json) await attempt(() => write('Record', json, record));
  const traced = tracer.trace();
  if (traced && trace) await attempt(() => write('Trace', trace, traced));
  if (errors.length === 0) return;
  for (const error of errors.slice(1)) console.error(explainError(error));
  throw errors[0];
}

const lost = ({ options: { save } }: ReadyRun, why: string): Error =>
  new NotSavedError(`--save ${save} got no model of this run: ${why}`);

/**
 * Saves the model where it was trained at all, and to some good: what an earlier run left in its place is worth more than first
 * weights, or than weights that are no numbers.
 */
async function savedText(run: ReadyRun, steps: number): Promise<string | undefined> {
  const {
    options: { save },
    tf,
    model,
  } = run;
  if (save === undefined) return undefined;
  if (steps === 0) return 'not saved, as the run ended before its first step';
  // The loss of the last step was taken before its update.
  if (!(await hasFiniteWeights(model)))
    throw lost(run, 'its weights are not all finite numbers. Lower --learning-rate and train again.');
  await saveModel(tf, model, save);
  return `saved in ${save}`;
}

/** The same after a run that failed, as far as its weights are sound. */
async function rescuedText(run: ReadyRun, failure: unknown): Promise<string | undefined> {
  const { options, recorder } = run;
  const steps = recorder.record(undefined)?.totals.steps ?? 0;
  if (options.save === undefined || steps === 0) return undefined;
  // Reading from a device that is gone might never end.
  if (failure instanceof Error && 'code' in failure && failure.code === 'deviceLost')
    throw lost(run, 'its weights were lost with the device. Train again.');
  return `${await savedText(run, steps)} as it was when the run failed`;
}
