import { tfjsBackend } from '@batchwise/backend';
import type { Engine } from '@batchwise/backend/node';
import {
  constantRate,
  cosineDecay,
  evaluate,
  train,
  type LearningRateSchedule,
  type StopRule,
} from '@batchwise/core';
import { imageSource, type LabelledImages, type SplitDataset } from '@batchwise/data';
import type { IndexSampler } from '@batchwise/sampler';
import { ceilingOf, policy, priorOf, runTracer, type TuningRecord } from '@batchwise/tuner';
import { prepareDestinations } from './destinations.ts';
import { headline } from './headline.ts';
import { watchInterrupt } from './interrupt.ts';
import { loadData } from './load-data.ts';
import { openLearned } from './learned.ts';
import { probeBeforeTraining } from './memory/before-training.ts';
import type { RunCeiling } from './memory/run-ceiling.ts';
import { makeModel, type ModelName } from './models.ts';
import { loadInstalledEngine } from './native-engine.ts';
import { makeOptimizer } from './optimizers.ts';
import { policyOptions, recordedOptions } from './policy-options.ts';
import { RunRecorder, type RunSetting } from './run-record.ts';
import { RunState } from './run-state.ts';
import { makeSampler } from './samplers.ts';
import { sizeBoundText } from './size-bound.ts';
import { trainAndKeep } from './train-and-keep.ts';
import type { TrainCommandOptions } from './train-options.ts';
import { liveView, plainView } from './view.ts';

/** Share of the learning rate that is left at the end of a cosine schedule. */
const FINAL_RATE = 0.1;

/** Where a run shows itself and how it is stopped. */
interface Surroundings {
  readonly print: (line: string) => void;
  /** The output is a terminal that can be redrawn. */
  readonly live: boolean;
  readonly signal: AbortSignal;
}

/** `batchwise train`: everything from the data to the summary. */
export async function runTrain(options: TrainCommandOptions): Promise<void> {
  const print = options.quiet ? () => undefined : (line: string) => console.log(line);
  const live = !options.quiet && process.stdout.isTTY;
  await prepareDestinations(options);
  const interrupt = watchInterrupt();
  const { signal } = interrupt;
  try {
    const data = await loadData(options, { signal, print, live });
    signal.throwIfAborted();
    await trainOn(data, { options, surroundings: { print, live, signal } });
  } catch (error) {
    if (error !== signal.reason) throw error;
    print('Interrupted before the training began.');
  } finally {
    interrupt.close();
  }
  if (signal.aborted) process.exitCode = 130;
}

interface Job {
  readonly options: TrainCommandOptions;
  readonly surroundings: Surroundings;
}

async function trainOn(data: SplitDataset, { options, surroundings }: Job): Promise<void> {
  const engine = await loadInstalledEngine(options.backend, {
    convolutions: modelNameOf(data, options) === 'cnn',
  });
  const { model, optimizer, setting } = compiledModel(data, engine, options);
  const { print, live, signal } = surroundings;
  const backend = tfjsBackend(engine.tf, model);
  const state = new RunState(() => backend.memory());
  const { imageShape, classes, train: examples } = data;
  const { epochs } = options;
  const view = (live ? liveView : plainView)({ state, epochs, trainExamples: examples.count, print });
  const flat = setting.model.name === 'mlp';
  const source = (images: LabelledImages, sampler?: IndexSampler) =>
    imageSource(images, { imageShape, classes, shuffle: sampler ?? false, flat });

  const trainSource = source(examples, samplerOf(data, options));
  const probe = await probeBeforeTraining(options, { engine, model, source: trainSource, signal });
  const recorder = new RunRecorder({ ...setting, probe });
  const learned = await openLearned(setting, options.record);
  const tracer = runTracer();
  const schedule = scheduleOf(options, examples.count);

  const sizeBound = sizeBoundText(options, examples.count);
  print(headline(setting, engine, { ...learned, probe, sizeBound }));
  const started = () =>
    train({
      backend,
      source: trainSource,
      controller: controllerOf(options, { schedule, learned: learned.record, probe }),
      stop: stopRule(options),
      // The policy takes the place of the schedule.
      schedule: options.policy === 'schedule' ? constantRate : schedule,
      validation: { source: source(data.validation) },
      observers: [
        recorder.observer,
        state.observer,
        ...learned.observers,
        ...(options.trace ? [tracer.observer] : []),
        ...(options.quiet ? [] : [view]),
      ],
      seed: options.seed,
      signal,
    });
  try {
    await trainAndKeep({
      ...{ options, print, recorder, tracer, learned, model, tf: engine.tf },
      train: started,
      test: () => evaluate(backend, source(data.test)),
    });
  } finally {
    model.dispose();
    optimizer.dispose();
  }
}

const modelNameOf = ({ name }: SplitDataset, { model }: TrainCommandOptions): ModelName =>
  model ?? (name === 'cifar10' ? 'cnn' : 'mlp');

function compiledModel(data: SplitDataset, engine: Engine, options: TrainCommandOptions) {
  const { tf } = engine;
  const { imageShape, classes, name: dataset } = data;
  const name = modelNameOf(data, options);
  const model = makeModel(tf, { name, imageShape, classes, seed: options.seed });
  const { optimizer, learningRate } = makeOptimizer(tf, options.optimizer, options.learningRate);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const setting: RunSetting = {
    seed: options.seed,
    dataset: {
      name: dataset,
      source: data.source,
      trainExamples: data.train.count,
      validationExamples: data.validation.count,
    },
    model: { name, parameters: model.countParams() },
    backend: { name: engine.name, version: engine.version, device: engine.device },
    policy: { name: options.policy, options: recordedOptions(options) },
    optimizer: { name: options.optimizer, learningRate },
    sampler: { name: options.sampler, ...samplerOptions(options) },
  };
  return { model, optimizer, setting };
}

const samplerOf = (
  { train: { labels }, classes }: SplitDataset,
  options: TrainCommandOptions,
): IndexSampler =>
  makeSampler(options.sampler, {
    labels,
    classes,
    seed: options.seed,
    curriculumExamples: Math.ceil((options.curriculumEpochs ?? options.epochs / 2) * labels.length),
    beta: options.samplerBeta,
    floor: options.samplerFloor,
  });

const scheduleOf = ({ schedule, epochs }: TrainCommandOptions, examples: number): LearningRateSchedule =>
  schedule === 'cosine' ? cosineDecay(epochs * examples, FINAL_RATE) : constantRate;

/** Those that were given. */
const samplerOptions = ({
  curriculumEpochs,
  samplerBeta,
  samplerFloor,
}: TrainCommandOptions): Partial<RunSetting['sampler']> => ({
  ...(curriculumEpochs !== undefined && { curriculumEpochs }),
  ...(samplerBeta !== undefined && { beta: samplerBeta }),
  ...(samplerFloor !== undefined && { floor: samplerFloor }),
});

/** What is known when the policy is made. */
interface Findings {
  readonly schedule: LearningRateSchedule;
  readonly learned: TuningRecord | undefined;
  readonly probe: RunCeiling | null;
}

function controllerOf(options: TrainCommandOptions, { schedule, learned, probe }: Findings) {
  const { policy: name, optimizer, microBatchSize } = options;
  const ceiling = { batchSize: microBatchSize ?? leastCeiling(learned && ceilingOf(learned), probe) };
  const growth = { rate: schedule };
  const prior = learned && priorOf(learned);
  return policy(name, { ...policyOptions(options), optimizer, ceiling, growth, prior });
}

/** What failed in an earlier run counts beside what was probed for this one. */
function leastCeiling(learned: number | undefined, probe: RunCeiling | null): number | undefined {
  const least = Math.min(learned ?? Infinity, probe?.microBatchSize ?? Infinity);
  return least === Infinity ? undefined : least;
}

function stopRule({ epochs, maxSeconds, targetAccuracy }: TrainCommandOptions): StopRule {
  return {
    epochs,
    ...(maxSeconds === undefined ? {} : { seconds: maxSeconds }),
    ...(targetAccuracy === undefined
      ? {}
      : { target: { metric: 'acc', value: targetAccuracy, direction: 'atLeast' } as const }),
  };
}
