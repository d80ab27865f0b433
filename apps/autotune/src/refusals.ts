import type { Command } from 'commander';
import { POLICIES_WITH, RULES_BY_NOISE } from './policy-options.ts';
import { SAMPLERS_WITH } from './samplers.ts';
import type { TrainCommandOptions } from './train-options.ts';

/** Ends the command where its options, each of them sound, do not go together. */
export function refuseContradictions(command: Command, options: TrainCommandOptions): void {
  refuseUnused(command, { flag: '--sampler', chosen: options.sampler, usersOf: SAMPLERS_WITH });
  refuseUnused(command, { flag: '--policy', chosen: options.policy, usersOf: POLICIES_WITH });
  const problem = sizeProblem(options) ?? rateProblem(options);
  if (problem) command.error(`error: ${problem}`);
}

interface Choice {
  readonly flag: string;
  readonly chosen: string;
  /** What else could have been chosen to make use of an option. */
  readonly usersOf: Readonly<Record<string, readonly string[]>>;
}

function refuseUnused(command: Command, { flag, chosen, usersOf }: Choice): void {
  for (const option of command.options) {
    const users = usersOf[option.attributeName()];
    const isGiven = command.getOptionValue(option.attributeName()) !== undefined;
    if (users && isGiven && !users.includes(chosen))
      command.error(`error: ${option.long} is for ${flag} ${users.join(', ')}; this run has ${chosen}.`);
  }
}

function sizeProblem({
  batchSize,
  minBatchSize = batchSize,
  maxBatchSize = batchSize,
}: TrainCommandOptions): string | undefined {
  if (maxBatchSize < batchSize)
    return `--max-batch-size ${maxBatchSize} is below --batch-size ${batchSize}; the run starts there.`;
  if (minBatchSize > batchSize)
    return `--min-batch-size ${minBatchSize} is above --batch-size ${batchSize}; the run starts there.`;
  return undefined;
}

function rateProblem({
  policy,
  schedule,
  learningRateRule: rule,
  warmUpExamples,
}: TrainCommandOptions): string | undefined {
  if (policy === 'schedule' && schedule === 'constant')
    return (
      '--policy schedule grows the batch where --schedule would lower the rate, and --schedule constant never does; ' +
      'give --schedule cosine, or --policy fixed for a batch that stays.'
    );
  if (policy === 'knee' && rule && RULES_BY_NOISE.includes(rule))
    return (
      `--learning-rate-rule ${rule} goes by the gradient noise, which --policy knee does not measure; ` +
      'give linear, sqrt or none, or --policy goodput.'
    );
  if (rule === 'none' && warmUpExamples)
    return (
      `--warm-up-examples ${warmUpExamples} slows the rate's rise with the batch, and with --learning-rate-rule none ` +
      'there is none; give another rule, or leave it out.'
    );
  return undefined;
}
