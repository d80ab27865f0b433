import { ENGINE_NAMES } from '@batchwise/backend/node';
import { policyNames, type LearningRateRuleName, type PolicyName } from '@batchwise/tuner';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { bytes } from './memory/bytes.ts';
import { MODEL_NAMES, type ModelName } from './models.ts';
import { OPTIMIZER_NAMES, type OptimizerChoice } from './optimizers.ts';
import { RULE_HELP, RULE_NAMES } from './policy-options.ts';
import { refuseContradictions } from './refusals.ts';
import { SAMPLER_HELP, SAMPLER_NAMES, type SamplerName } from './samplers.ts';

export const SCHEDULE_NAMES = ['cosine', 'constant'] as const;

export const DATASET_NAMES = ['mnist', 'cifar10', 'digits'] as const;

/** The options of `batchwise train`, checked. */
export interface TrainCommandOptions {
  readonly dataset: (typeof DATASET_NAMES)[number];
  readonly dataDir?: string;
  readonly offline?: boolean;
  readonly model?: ModelName;
  readonly backend: (typeof ENGINE_NAMES)[number];
  readonly policy: PolicyName;
  readonly batchSize: number;
  readonly minBatchSize?: number;
  readonly maxBatchSize?: number;
  readonly microBatchSize?: number;
  /** Find out first what fits in memory. */
  readonly probe: boolean;
  readonly budget?: number;
  readonly optimizer: OptimizerChoice;
  readonly sampler: SamplerName;
  /** Default: half of the run. */
  readonly curriculumEpochs?: number;
  readonly samplerBeta?: number;
  readonly samplerFloor?: number;
  readonly learningRate?: number;
  /** Default: that of the optimizer. */
  readonly learningRateRule?: LearningRateRuleName;
  readonly warmUpExamples?: number;
  readonly schedule: (typeof SCHEDULE_NAMES)[number];
  readonly epochs: number;
  readonly targetAccuracy?: number;
  readonly maxSeconds?: number;
  readonly seed: number;
  /** Start from what earlier runs found, and leave what this one finds. */
  readonly record: boolean;
  readonly json?: string;
  readonly trace?: string;
  readonly save?: string;
  readonly quiet?: boolean;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Give a whole number above 0.');
  return value;
}

function fromZero(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Give a whole number, 0 or above.');
  return value;
}

function path(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Give a path.');
  return text;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Give a share from 0 to 1.');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError('Give a share above 0 and up to 1, such as 0.97.');
  return value;
}

const EXAMPLES = `
Examples:
  batchwise train                                     MNIST, or the built-in digits where it cannot be had
  batchwise train --dataset cifar10 --model cnn       needs 170 MB once
  batchwise train --policy fixed --batch-size 64      the same run without tuning, to compare
  batchwise train --target-accuracy 0.97 --json run.json`;

/** Declares `batchwise train`. */
export function addTrainCommand(
  program: Command,
  run: (options: TrainCommandOptions) => Promise<void>,
): void {
  const command = program
    .command('train')
    .description('train a model while the tuner picks and adapts the batch size in view');
  addTaskOptions(command);
  addBatchOptions(command);
  addRunOptions(command);
  command.addHelpText('after', EXAMPLES).action((options: TrainCommandOptions) => {
    refuseContradictions(command, options);
    return run(options);
  });
}

const choice = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices(choices);

function addTaskOptions(command: Command): void {
  command
    .addOption(choice('--dataset <name>', 'what to train on', DATASET_NAMES).default('mnist'))
    .option('--data-dir <dir>', 'your own copy of the data set; it is never replaced by another')
    .option('--offline', 'ask no mirror: the cache, else the built-in digits')
    .addOption(
      choice(
        '--model <name>',
        'mlp: 784-50-50-10; cnn: two convolutions (default: mlp; cnn for cifar10)',
        MODEL_NAMES,
      ),
    )
    .addOption(choice('--optimizer <name>', 'how weights are updated', OPTIMIZER_NAMES).default('adam'))
    .addOption(choice('--sampler <name>', SAMPLER_HELP, SAMPLER_NAMES).default('shuffled'))
    .option('--curriculum-epochs <n>', 'until a curriculum has let all examples in (default: half)', positive)
    .option(
      '--sampler-beta <share>',
      'how far importance weights make up for unequal draws, 0 to 1 (default: importance 1; hard, weighted 0)',
      fraction,
    )
    .option(
      '--sampler-floor <share>',
      'of the draws by loss, to all examples alike, 0 to 1 (default: importance 0.1, hard 0.2)',
      fraction,
    )
    .option('--learning-rate <rate>', "at --batch-size (default: the optimizer's usual one)", positive)
    .addOption(
      choice(
        '--schedule <name>',
        'of the learning rate: down by half a cosine to a tenth, or constant',
        SCHEDULE_NAMES,
      ).default('cosine'),
    )
    .addOption(
      choice('--backend <name>', 'what computes; auto is the fastest that loads', ENGINE_NAMES).default(
        'auto',
      ),
    );
}

function addBatchOptions(command: Command): void {
  command
    .addOption(
      choice(
        '--policy <name>',
        'goodput: step time and gradient noise; knee: step time only; noiseScale: noise only; schedule: the batch grows ' +
          'where --schedule would lower the rate; fixed: no tuning',
        policyNames,
      ).default('goodput'),
    )
    .option(
      '--batch-size <examples>',
      'where the run starts, and what the learning rate is meant for',
      count,
      32,
    )
    .option(
      '--min-batch-size <examples>',
      'the tuner stays at or above (default: 8, for knee 32, or --batch-size where that is smaller)',
      count,
    )
    .option(
      '--max-batch-size <examples>',
      'the tuner stays at or below; whatever is given, a 16th of the data and a 500th of the run bound it too, unless ' +
        '--batch-size is larger (default of goodput: where the rate stops following)',
      count,
    )
    .addOption(choice('--learning-rate-rule <name>', RULE_HELP, RULE_NAMES))
    .option(
      '--warm-up-examples <n>',
      'examples over which the rate follows a larger batch no faster than in a straight line (default: 0)',
      fromZero,
    )
    .option(
      '--micro-batch-size <examples>',
      'examples on the device at once; larger batches are accumulated',
      count,
    )
    .option('--budget <bytes>', 'memory that a step may take, such as 2GB (default: what is free)', bytes)
    .option('--no-probe', 'do not find out first what fits in memory');
}

function addRunOptions(command: Command): void {
  command
    .option('--epochs <n>', 'passes over the training examples', count, 5)
    .option('--target-accuracy <share>', 'stop as soon as validation reaches it', share)
    .option('--max-seconds <seconds>', 'stop after this time', positive)
    .option('--seed <n>', 'decides initial weights and the order of examples', fromZero, 0)
    .option('--json <file>', 'write a record of the run (schema batchwise.run/1)', path)
    .option('--trace <file>', 'write all that the policy was told, to replay its decisions', path)
    .option('--no-record', 'ignore what earlier runs found, and leave nothing for later ones')
    .option('--save <dir>', 'save the model in the layers format of TensorFlow.js', path)
    .option('--quiet', 'print errors only');
}
