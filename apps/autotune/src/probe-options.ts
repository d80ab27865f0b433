import { ENGINE_NAMES } from '@batchwise/backend/node';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { bytes } from './memory/bytes.ts';
import { MODEL_NAMES, type ModelName } from './models.ts';
import { OPTIMIZER_NAMES, type OptimizerChoice } from './optimizers.ts';
import { DATASET_NAMES } from './train-options.ts';

/** The options of `batchwise probe`, checked. */
export interface ProbeOptions {
  readonly dataset: (typeof DATASET_NAMES)[number];
  readonly dataDir?: string;
  readonly offline?: boolean;
  readonly model?: ModelName;
  readonly optimizer: OptimizerChoice;
  readonly backend: (typeof ENGINE_NAMES)[number];
  readonly start: number;
  readonly maxBatch?: number;
  readonly budget?: number;
  readonly safety?: number;
  readonly trials: number;
  readonly json?: string;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Give a whole number above 0.');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError('Give a share above 0 and up to 1, such as 0.9.');
  return value;
}

function path(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Give a path.');
  return text;
}

const choice = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices(choices);

const HELP = `
Each trial trains the model for two steps of one size. The size that is named has been run, and its loss and gradients
were those of the same examples in smaller parts.

Exit codes: 0 when a size fits, 1 when none does, 2 for a wrong command line, 130 when interrupted.`;

/** Declares `batchwise probe`. */
export function addProbeCommand(program: Command, run: (options: ProbeOptions) => Promise<void>): void {
  program
    .command('probe')
    .description('find the largest batch that fits in memory, and how fast it and smaller ones are')
    .addOption(choice('--dataset <name>', 'what to train on', DATASET_NAMES).default('mnist'))
    .option('--data-dir <dir>', 'your own copy of the data set')
    .option('--offline', 'ask no mirror: the cache, else the built-in digits')
    .addOption(choice('--model <name>', 'mlp or cnn (default: mlp; cnn for cifar10)', MODEL_NAMES))
    .addOption(choice('--optimizer <name>', 'how weights are updated', OPTIMIZER_NAMES).default('adam'))
    .addOption(choice('--backend <name>', 'what computes', ENGINE_NAMES).default('auto'))
    .option('--start <examples>', 'the first size', count, 16)
    .option('--max-batch <examples>', 'no larger size is of interest (default: all examples)', count)
    .option('--budget <bytes>', 'what a step may take, such as 2GB (default: what is free)', bytes)
    .option('--safety <share>', 'of the budget that predictions aim at', share)
    .option('--trials <n>', 'at most so many', count, 6)
    .option('--json <file>', 'write what was found (schema batchwise.probe/1)', path)
    .addHelpText('after', HELP)
    .action((options: ProbeOptions) => run(options));
}
