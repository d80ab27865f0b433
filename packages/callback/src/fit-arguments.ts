import { TrainingError, type BatchSource } from '@batchwise/core';
import type { ArrayBatch } from '@batchwise/backend';
import { sequential, subset } from '@batchwise/sampler';
import type { ModelFitArgs } from '@tensorflow/tfjs-layers';
import { exampleSource, openExamples, type OpenExamples } from './example-source.ts';
import { weightRows } from './example-weights.ts';
import { slotsOf, type FitData, type FittedModel } from './fitted-model.ts';
import { samplerOf } from './open-feed.ts';
import type { Tensor, Tf } from './tf.ts';
import type { TuningOptions } from './tuning-options.ts';

/** The arguments of `model.fit`, and the tuner's. */
export interface FitArgs extends Omit<ModelFitArgs, 'sampleWeight'> {
  /** Your TensorFlow.js, layers included. */
  readonly tf: Tf;
  /** One weight per example, by which its loss is multiplied; one tensor for all outputs, or one for each. */
  readonly sampleWeight?: Tensor | Tensor[];
  /** How the batch is tuned; `batchSize` is where it starts, and what the learning rate was configured for. */
  readonly tuner?: Omit<TuningOptions, 'batchSize'>;
}

/** The data of a `fit`, ready for the loop. */
export interface FitSources {
  readonly train: BatchSource<ArrayBatch> & { readonly size: number };
  readonly validation: BatchSource<ArrayBatch> | undefined;
  /** Frees what was made of the user's tensors. */
  dispose(): void;
}

const invalid = (message: string, hint: string): TrainingError =>
  new TrainingError('invalidOptions', message, { hint });

/**
 * Refuses what cannot be done, rather than to leave it out without a word.
 * @throws TrainingError `invalidOptions`
 */
export function refuseUnusable(args: FitArgs): void {
  const { batchSize, validationData, stepsPerEpoch, validationSteps, shuffle } = args;
  if (batchSize !== undefined && !(Number.isInteger(batchSize) && batchSize > 0))
    throw invalid(`batchSize is ${batchSize}.`, 'Give a whole number above 0.');
  for (const [name, value] of Object.entries({ stepsPerEpoch, validationSteps }))
    if (value !== undefined && value !== null)
      throw invalid(
        `${name} is ${value}, which model.fit leaves out of account.`,
        'A step has no fixed size here either: leave it away, or use fitDataset with batchesPerEpoch.',
      );
  if (validationData && validationData.length !== 2)
    throw invalid(
      'validationData has weights, which TensorFlow.js does not support in evaluation.',
      'Give [xVal, yVal].',
    );
  if (typeof shuffle === 'string')
    throw invalid(`shuffle is "${shuffle}", which TensorFlow.js does not implement.`, 'Give true or false.');
}

/**
 * Checks the data with the model's own checks and messages, and makes sources of it.
 * @throws what `model.fit` throws for data that do not fit the model; TrainingError for weights that do not fit
 */
export async function openFitData(
  model: FittedModel,
  { xs, ys }: { readonly xs: FitData; readonly ys: FitData },
  args: FitArgs,
): Promise<FitSources> {
  const { tf } = args;
  const made: Tensor[] = [];
  const dispose = (): void => tf.dispose(made);
  const open = async (x: FitData, y: FitData, checkBatchAxis: boolean): Promise<OpenExamples> => {
    const [inputs, targets] = model.standardizeUserDataXY(x, y, checkBatchAxis);
    const given = new Set([x, y].flatMap((data) => tensorsIn(data)));
    made.push(...[...inputs, ...targets].filter((tensor) => !given.has(tensor)));
    return openExamples(tf, { xs: inputs, ys: targets }, slotsOf(model));
  };
  try {
    const examples = await open(xs, ys, false);
    const weights = await weightRows(tf, examples, { ...args, outputNames: model.outputNames });
    const { validationSplit = 0 } = args;
    const splits = !args.validationData && validationSplit > 0 && validationSplit < 1;
    const trainCount = splits ? Math.floor(examples.count * (1 - validationSplit)) : examples.count;
    if (trainCount === 0)
      throw invalid(
        `validationSplit ${validationSplit} leaves nothing of ${examples.count} examples to train on.`,
        'Give a smaller one.',
      );
    const order = { shuffle: args.shuffle, seed: args.tuner?.seed };
    const train = exampleSource(examples, samplerOf(trainCount, order), weights);
    const source = { ...train, size: trainCount };
    if (args.validationData) {
      const held = await open(args.validationData[0], args.validationData[1], true);
      return { train: source, validation: exampleSource(held, sequential(held.count)), dispose };
    }
    const validation = splits ? lastOf(examples, trainCount) : undefined;
    return { train: source, validation, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The examples from `start` on, in their order. */
function lastOf(examples: OpenExamples, start: number): BatchSource<ArrayBatch> {
  const indices = Array.from({ length: examples.count - start }, (_, i) => start + i);
  return exampleSource(examples, subset(indices, sequential(indices.length)));
}

function tensorsIn(data: FitData): readonly Tensor[] {
  if (Array.isArray(data)) return data as readonly Tensor[];
  return isTensor(data) ? [data] : Object.values(data as Readonly<Record<string, Tensor>>);
}

const isTensor = (data: FitData): data is Tensor => 'dataSync' in data && typeof data.dataSync === 'function';
