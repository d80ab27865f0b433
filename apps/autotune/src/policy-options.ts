import type { LearningRateRuleName, PolicyName, PolicyOptions } from '@batchwise/tuner';
import type { TrainCommandOptions } from './train-options.ts';

/** All of them: the type asks for each. */
const RULES: Readonly<Record<LearningRateRuleName, true>> = {
  linear: true,
  sqrt: true,
  adascale: true,
  adamscale: true,
  none: true,
};

export const RULE_NAMES = Object.keys(RULES) as readonly LearningRateRuleName[];

/** One line of help for all of them. */
export const RULE_HELP =
  'how the rate follows the batch from --batch-size: linear: with it; sqrt: with its root; adascale: linear, as far as ' +
  'the gradient noise lets it pay; adamscale: the root of that; none: not at all (default: adam sqrt, others linear)';

/** Rules that go by the gradient noise. */
export const RULES_BY_NOISE: readonly LearningRateRuleName[] = ['adascale', 'adamscale'];

const ADAPTIVE: readonly PolicyName[] = ['goodput', 'knee', 'noiseScale'];

/** Which policies have a use for an option, by its name in the command's options. */
export const POLICIES_WITH: Readonly<Record<string, readonly PolicyName[]>> = {
  minBatchSize: ADAPTIVE,
  learningRateRule: ADAPTIVE,
  warmUpExamples: ADAPTIVE,
};

/** What the command line says of the batch and of the rate that follows it. */
export const policyOptions = ({
  batchSize,
  minBatchSize,
  maxBatchSize,
  learningRateRule,
  warmUpExamples,
}: TrainCommandOptions) =>
  ({ batchSize, minBatchSize, maxBatchSize, learningRateRule, warmUpExamples }) satisfies PolicyOptions;

/** The same for the record of the run: only what was given. */
export function recordedOptions(options: TrainCommandOptions): Record<string, number | string> {
  const all = { ...policyOptions(options), microBatchSize: options.microBatchSize };
  const recorded: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(all)) if (value !== undefined) recorded[name] = value;
  return recorded;
}
