import { monotonicClock, type Clock } from './clock.ts';
import type { RunInfo } from './controller.ts';
import type { Json } from './json.ts';
import { constantRate, type LearningRateSchedule } from './learning-rate-schedule.ts';
import type { TrainOptions } from './options.ts';
import { checkCheckpoint } from './resume.ts';
import { TrainingError } from './training-error.ts';

/** Options with their defaults filled in, found to be sound. */
export interface Settings {
  readonly run: RunInfo;
  readonly clock: Clock;
  readonly schedule: LearningRateSchedule;
  /** Examples between two validations; infinite where there is none. */
  readonly validateEvery: number;
}

const invalid = (message: string, hint: string): TrainingError =>
  new TrainingError('invalidOptions', message, { hint });

function checkCount(value: number | undefined, name: string): void {
  if (value !== undefined && !(Number.isInteger(value) && value > 0))
    throw invalid(`${name} is ${value}.`, 'Give a whole number above 0.');
}

/**
 * Fills in defaults and refuses what cannot be run, before anything is touched.
 * @throws TrainingError `invalidOptions`, `emptySource`
 */
export function checkSettings<B, G, S extends Json>(options: TrainOptions<B, G, S>): Settings {
  const { stop, source, validation, resumeFrom } = options;
  if (stop.epochs === undefined && stop.examples === undefined && stop.seconds === undefined && !stop.target)
    throw invalid('The run has no end.', 'Give stop at least one of epochs, examples, seconds or target.');
  checkCount(stop.epochs, 'stop.epochs');
  checkCount(stop.examples, 'stop.examples');
  checkCount(validation?.everyExamples, 'validation.everyExamples');
  checkCount(validation?.batchSize, 'validation.batchSize');
  if (stop.seconds !== undefined && !(stop.seconds > 0))
    throw invalid(`stop.seconds is ${stop.seconds}.`, 'Give a number above 0.');
  if (stop.target && !Number.isFinite(stop.target.value))
    throw invalid(`stop.target.value is ${stop.target.value}.`, 'Give a finite number.');
  if (stop.target && !validation)
    throw invalid(
      `The target on ${stop.target.metric} needs validation.`,
      'Give validation a source, or drop stop.target.',
    );
  if (resumeFrom !== undefined) checkCheckpoint(resumeFrom, source.size);
  if (source.size === 0)
    throw new TrainingError('emptySource', 'The source holds no examples.', {
      hint: 'Check what it was made from.',
    });
  if (validation && validation.everyExamples === undefined && source.size === undefined)
    throw invalid('A stream has no epochs to validate after.', 'Give validation.everyExamples.');
  return {
    run: {
      datasetSize: source.size,
      plannedExamples: plannedExamples(options),
      seed: options.seed ?? 0,
      secondMoment: options.backend.secondMoment?.(),
    },
    clock: options.clock ?? monotonicClock,
    schedule: options.schedule ?? constantRate,
    validateEvery: validation ? (validation.everyExamples ?? source.size ?? Infinity) : Infinity,
  };
}

function plannedExamples<B, G, S extends Json>({ stop, source }: TrainOptions<B, G, S>): number | undefined {
  const byEpochs =
    stop.epochs === undefined || source.size === undefined ? Infinity : stop.epochs * source.size;
  const planned = Math.min(byEpochs, stop.examples ?? Infinity);
  return Number.isFinite(planned) ? planned : undefined;
}
