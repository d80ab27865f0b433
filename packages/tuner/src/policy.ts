import type { BatchController, Json, RunInfo } from '@batchwise/core';
import { fixed } from './fixed.ts';
import { goodput } from './goodput.ts';
import type { GoodputOptions } from './goodput-options.ts';
import { inGroups } from './in-groups.ts';
import { knee } from './knee.ts';
import { learningRateScale, type LearningRateRule } from './learning-rate-rules.ts';
import { noiseScale } from './noise-scale.ts';
import { MCCANDLISH, optimizerTraits, type OptimizerName } from './optimizers.ts';
import type { TuningPrior } from './prior.ts';
import { schedule, type GrowthRule } from './schedule.ts';
import { sizeRange, type SizeOptions } from './size-range.ts';
import { withBatchNormAdvice } from './with-batch-norm-advice.ts';
import { withCeiling, type CeilingOptions } from './with-ceiling.ts';
import { withGuard } from './with-guard.ts';
import { withHysteresis } from './with-hysteresis.ts';
import { referenceIn, withLearningRate, type LearningRateOptions } from './with-learning-rate.ts';
import { withSecondMoment } from './with-second-moment.ts';

/** The names that `policy` takes. */
export const policyNames = ['goodput', 'knee', 'noiseScale', 'schedule', 'fixed'] as const;

/** One of `policyNames`. */
export type PolicyName = (typeof policyNames)[number];

/** What an application knows of a run; all of it may be left out, but `growth` for `schedule`. */
export interface PolicyOptions extends SizeOptions {
  /** Default `adam`. */
  readonly optimizer?: OptimizerName | undefined;
  /** How the rate follows the batch. Default by optimizer: `linear` for SGD and momentum, `sqrt` for others. */
  readonly learningRateRule?: LearningRateRule | undefined;
  /** Of goodput, knee and noiseScale: over so many examples the factor on the rate rises from 1 no faster than in a straight line. Default 0. */
  readonly warmUpExamples?: number | undefined;
  /**
   * Of goodput, knee and noiseScale with rule `sqrt`: `rescale` lets the averages of Adam and RMSProp forget by examples instead of
   * by steps (see `LearningRateOptions`). Default `keep`.
   */
  readonly moments?: LearningRateOptions['moments'];
  /** What fits in memory, where that is known. Default: found out by failing once, and accumulated beyond. */
  readonly ceiling?: CeilingOptions | undefined;
  /** Of `schedule`: when the batch grows. */
  readonly growth?: GrowthRule | undefined;
  /** What earlier runs found (`priorOf`). */
  readonly prior?: TuningPrior | undefined;
  /** Put good weights back when the loss explodes; the backend needs a `snapshot`. Default true, but for `fixed`. */
  readonly guard?: boolean | undefined;
  /** Set where the model has batch normalisation: small micro-batches then come with advice. */
  readonly batchNorm?: boolean | undefined;
}

/**
 * A whole controller by name, as an application wants it. `batchSize` is the batch of the whole run for `fixed` and its
 * start for `schedule`; for the others it is where the run starts and the batch that the learning rate was configured
 * for, and from there the rate follows the batch as fits the optimizer.
 *
 * Without `maxBatchSize` goodput takes no batch beyond the one that the rate follows to: from 32 examples 128 with SGD, 256
 * with momentum, 2,048 with others.
 *
 * - `goodput`: withGuard(withLearningRate(withSecondMoment(withCeiling(withHysteresis(goodput)))))
 * - `knee`: withGuard(withLearningRate(withCeiling(knee)))
 * - `noiseScale`: withGuard(withLearningRate(withSecondMoment(withCeiling(withHysteresis(noiseScale)))))
 * - `schedule`: withGuard(withCeiling(schedule))
 * - `fixed`: withCeiling(fixed)
 *
 * Each is asked `inGroups`, by the guard too; `withSecondMoment` is for Adam, and not for rule `none`, one of your own or `moments: 'rescale'`.
 * @throws RangeError for an unknown name or optimizer, sizes out of order, `warmUpExamples` below 0, `moments: 'rescale'` with another
 * rule than `sqrt`, or `schedule` without `growth`
 */
export function policy(name: PolicyName, options: PolicyOptions = {}): BatchController<Json> {
  const { guard = name !== 'fixed', batchNorm = false } = options;
  const chosen = unguarded(name, options);
  const advised = batchNorm ? withBatchNormAdvice(chosen) : chosen;
  return inGroups(guard ? withGuard(inGroups(advised)) : advised);
}

function unguarded(name: PolicyName, options: PolicyOptions): BatchController<Json> {
  const { batchSize = 32, ceiling, growth } = options;
  switch (name) {
    case 'fixed':
      return withCeiling(fixed(batchSize), ceiling);
    case 'schedule':
      if (!growth) throw new RangeError('Policy schedule needs growth; give it a rate or milestones.');
      return withCeiling(schedule({ ...options, ...growth }), ceiling);
    case 'knee':
      return withLearningRate(withCeiling(knee(options), ceiling), couplingOf(options));
    case 'noiseScale':
      return coupledByNoise(withCeiling(withHysteresis(noiseScale(options)), ceiling), options);
    case 'goodput':
      return coupledByNoise(withCeiling(withHysteresis(goodput(goodputOptions(options))), ceiling), options);
    default:
      throw new RangeError(`No policy is called ${String(name)}; known are ${policyNames.join(', ')}.`);
  }
}

/**
 * The largest batch that `policy(name, options)` may choose in a run, in examples: what must fit in memory.
 * @throws RangeError for an unknown optimizer
 */
export function largestBatchSize(
  name: PolicyName,
  options: Omit<PolicyOptions, 'ceiling'>,
  run: Pick<RunInfo, 'datasetSize' | 'plannedExamples'>,
): number {
  const { batchSize = 32, growth } = options;
  if (name === 'fixed') return Math.min(batchSize, run.datasetSize ?? Infinity);
  if (name === 'schedule' && growth && 'milestones' in growth)
    return Math.min(
      options.maxBatchSize ?? Infinity,
      Math.max(batchSize, ...growth.milestones.map((milestone) => milestone.batchSize)),
    );
  return sizeRange(name === 'goodput' ? boundedByRate(options) : options, run, 1).max;
}

/**
 * The factor on the configured learning rate that a batch of so many examples comes to under `policy(name, options)`, without the rise
 * to it and without what makes up for steps of other sizes. Undefined where the batch alone does not say: for rules that go by the noise,
 * for one of your own, and for the policies `schedule` and `fixed`.
 * @throws RangeError for an unknown optimizer
 */
export function settledRateScale(
  name: PolicyName,
  options: Pick<PolicyOptions, 'optimizer' | 'batchSize' | 'learningRateRule'>,
  { batchSize, datasetSize }: { readonly batchSize: number } & Partial<Pick<RunInfo, 'datasetSize'>>,
): number | undefined {
  if (name === 'schedule' || name === 'fixed') return undefined;
  const { rule, referenceBatchSize: configured, maxScale } = couplingOf(options);
  if (rule !== 'linear' && rule !== 'sqrt' && rule !== 'none') return undefined;
  const referenceBatchSize = referenceIn(configured, datasetSize);
  return learningRateScale(batchSize, { rule, referenceBatchSize, maxScale });
}

function couplingOf({
  optimizer = 'adam',
  batchSize = 32,
  learningRateRule,
  warmUpExamples,
  moments,
}: Omit<PolicyOptions, 'ceiling'>) {
  const { learningRateRule: usual, maxLearningRateScale } = optimizerTraits(optimizer);
  const rule = learningRateRule ?? usual;
  const maxScale = typeof rule === 'function' ? undefined : maxLearningRateScale;
  return { rule, referenceBatchSize: batchSize, maxScale, warmUpExamples, moments };
}

/** Where the noise is measured, the rate makes up for what Adam remembers of other batches, unless it is a user's own or that is rescaled. */
function coupledByNoise<State extends Json>(
  inner: BatchController<State>,
  options: PolicyOptions,
): BatchController<Json> {
  const coupling = couplingOf(options);
  const { rule, moments } = coupling;
  const isAsSaid = rule === 'none' || typeof rule === 'function' || moments === 'rescale';
  return isAsSaid ? withLearningRate(inner, coupling) : withLearningRate(withSecondMoment(inner), coupling);
}

/** The law of the optimizers that divide by the gradient is that of the root rule; for others there is McCandlish's. */
function goodputOptions(options: PolicyOptions): GoodputOptions {
  const { learningRateRule } = optimizerTraits(options.optimizer ?? 'adam');
  const isUsual = couplingOf(options).rule === learningRateRule;
  const bounded = boundedByRate(options);
  return isUsual ? bounded : { ...bounded, ...MCCANDLISH };
}

/**
 * Unless it is given, the largest batch is that up to which the rate follows it, where an end is known. Beyond it the rate
 * stays as it is, so that a larger batch takes as many steps, each of which takes longer.
 */
function boundedByRate<Options extends Omit<PolicyOptions, 'ceiling'>>(options: Options): Options {
  const { rule, referenceBatchSize, maxScale } = couplingOf(options);
  if (options.maxBatchSize !== undefined || maxScale === undefined) return options;
  if (rule === 'linear') return { ...options, rateEndsAt: referenceBatchSize * maxScale };
  return rule === 'sqrt' ? { ...options, rateEndsAt: referenceBatchSize * maxScale ** 2 } : options;
}
