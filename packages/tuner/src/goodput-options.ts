import { checkAbove, checkCount, checkShare } from './check.ts';
import { explorationOptions, type ExplorationOptions } from './exploration.ts';
import type { MeasuringOptions } from './measuring.ts';
import { optimizerTraits, type OptimizerName } from './optimizers.ts';
import { checkSizes, type SizeOptions } from './size-range.ts';

/** Numbers of the goodput rule. Where no source is named, they were picked in simulation on small models. */
export interface GoodputOptions extends SizeOptions, Partial<MeasuringOptions> {
  /** Sets `criticalBatchFactor`. Default `adam`. */
  readonly optimizer?: OptimizerName | undefined;
  /** c = φc/φ, the batch that still pays over the noise scale. Default by optimizer: sgd 0.5, others 3. */
  readonly criticalBatchFactor?: number | undefined;
  /** φ0: noise scale believed before it is measured, examples. Default 600. */
  readonly priorNoiseScale?: number | undefined;
  /** Smallest noise scale believed, examples. Default 4; the largest is the size of the dataset. */
  readonly minNoiseScale?: number | undefined;
  /**
   * Measured examples after which a measurement counts for 1/e, in noise scales or in batches, whichever is more.
   * Default 8.
   */
  readonly horizon?: number | undefined;
  /** Steps between decisions. Default 10. */
  readonly decideEverySteps?: number | undefined;
  /** Largest factor of a move, up or down. Default 2. */
  readonly maxMove?: number | undefined;
  /**
   * A move must promise this much more progress per second. Default 0.05, as in AdaptDL (`_speedup_threshold`): the
   * optimum is flat, and each move costs a little.
   */
  readonly leastGain?: number | undefined;
  /** No move in this last share of the run, where it could not pay off any more. Default 0.05. */
  readonly settledShare?: number | undefined;
  readonly exploration?: Partial<ExplorationOptions> | undefined;
}

/** The options with their defaults filled in. */
export interface GoodputSettings extends MeasuringOptions {
  readonly sizes: SizeOptions;
  readonly criticalBatchFactor: number;
  readonly priorNoiseScale: number;
  readonly minNoiseScale: number;
  readonly horizon: number;
  readonly decideEverySteps: number;
  readonly maxMove: number;
  readonly leastGain: number;
  readonly settledShare: number;
  readonly exploration: ExplorationOptions;
}

/** @throws RangeError where a number is out of its range; the message names it */
export function goodputSettings(options: GoodputOptions): GoodputSettings {
  checkSizes(options);
  const settings: GoodputSettings = {
    sizes: options,
    criticalBatchFactor:
      options.criticalBatchFactor ?? optimizerTraits(options.optimizer ?? 'adam').criticalBatchFactor,
    priorNoiseScale: options.priorNoiseScale ?? 600,
    minNoiseScale: options.minNoiseScale ?? 4,
    horizon: options.horizon ?? 8,
    measuringShare: options.measuringShare ?? 0.015,
    bootMeasurements: options.bootMeasurements ?? 12,
    bootEverySteps: options.bootEverySteps ?? 2,
    decideEverySteps: options.decideEverySteps ?? 10,
    maxMove: options.maxMove ?? 2,
    leastGain: options.leastGain ?? 0.05,
    settledShare: options.settledShare ?? 0.05,
    exploration: explorationOptions(options.exploration),
  };
  for (const name of [
    'criticalBatchFactor',
    'priorNoiseScale',
    'minNoiseScale',
    'horizon',
    'measuringShare',
  ] as const)
    checkAbove(settings[name], name);
  checkAbove(settings.maxMove, 'maxMove', 1);
  checkCount(settings.bootMeasurements, 'bootMeasurements', 0);
  checkCount(settings.bootEverySteps, 'bootEverySteps');
  checkCount(settings.decideEverySteps, 'decideEverySteps');
  checkShare(settings.leastGain, 'leastGain');
  checkShare(settings.settledShare, 'settledShare');
  checkShare(settings.measuringShare, 'measuringShare');
  return settings;
}
