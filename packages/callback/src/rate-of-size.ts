import { learningRateScale, optimizerTraits, type PolicyName } from '@batchwise/tuner';
import type { TuningOptions } from './tuning-options.ts';

/** The factor on the configured learning rate that a batch of so many examples is to have; undefined where nobody knows. */
export type RateOfSize = (batchSize: number) => number | undefined;

/** Those whose rate follows the batch by a rule. */
const COUPLED: ReadonlySet<PolicyName> = new Set(['goodput', 'knee', 'noiseScale']);

/**
 * The factor that a run begins with at a size, by the rule that `policy` has for these options: without a rise to it, and
 * without what makes up for steps of other sizes. It is known of rules that go by the size alone, and of no controller of
 * one's own.
 * @throws RangeError for an unknown optimizer
 */
export function rateOfSize(
  options: Pick<TuningOptions, 'controller' | 'policy' | 'optimizer' | 'batchSize' | 'learningRateRule'>,
): RateOfSize {
  const { controller, policy = 'goodput', optimizer = 'adam', batchSize = 32 } = options;
  if (controller || !COUPLED.has(policy)) return () => undefined;
  const { learningRateRule, maxLearningRateScale: maxScale } = optimizerTraits(optimizer);
  const rule = options.learningRateRule ?? learningRateRule;
  if (rule !== 'linear' && rule !== 'sqrt' && rule !== 'none') return () => undefined;
  return (size) => learningRateScale(size, { rule, referenceBatchSize: batchSize, maxScale });
}
