import { checkAbove, checkShare } from './check.ts';
import { explorationOptions, type ExplorationOptions } from './exploration.ts';
import type { ExamplesLaw } from './goodput-maths.ts';
import type { NoiseBelief } from './noise-belief.ts';
import { noiseOptions, type NoiseOptions } from './noise-watch.ts';
import { optimizerTraits, type OptimizerName } from './optimizers.ts';
import type { TuningPrior } from './prior.ts';
import { checkSizes, type SizeOptions } from './size-range.ts';

/** Numbers of the goodput rule. Where no source is named, they were picked in simulation on small models. */
export interface GoodputOptions extends SizeOptions, Partial<NoiseOptions> {
  /** Sets `criticalBatchFactor`, `examplesExponent` and `examplesSharpness`. Default `adam`. */
  readonly optimizer?: OptimizerName | undefined;
  /**
   * c = φc/φ, the batch that still pays over the noise scale. Default 3 for SGD and momentum, 1 for others. It holds as far as
   * the learning rate follows the batch: `policy` sets `rateEndsAt`; set it yourself around goodput alone.
   */
  readonly criticalBatchFactor?: number | undefined;
  /**
   * p, above 0 and at most 1: the examples to a target go as (1 + (B/φc)^q)^(p/q). Default 1 for SGD and momentum, ½ for
   * others.
   */
  readonly examplesExponent?: number | undefined;
  /** q of the same, from 1 to 8. Default 1 for SGD and momentum, 2 for others. */
  readonly examplesSharpness?: number | undefined;
  /** Largest factor of a move, up or down. Default 2. */
  readonly maxMove?: number | undefined;
  /**
   * A move must promise this much more progress per second. Default 0.03, where AdaptDL has 0.05 (`_speedup_threshold`): the
   * optimum is flat, but nearly all moves are tried first, so that the promise is no guess.
   */
  readonly leastGain?: number | undefined;
  /** No move in this last share of the run, where it could not pay off any more. Default 0.05. */
  readonly settledShare?: number | undefined;
  readonly exploration?: Partial<ExplorationOptions> | undefined;
  /** What earlier runs found; the run then starts at the best size for it and tries others only before it moves there. */
  readonly prior?: TuningPrior | undefined;
}

/** As sharp as a corner; powers of noise scales stay finite, and `bestBatchSize` takes some fifteen iterations. */
const SHARPEST = 8;

/** The options with their defaults filled in. */
export interface GoodputSettings {
  readonly sizes: SizeOptions;
  readonly criticalBatchFactor: number;
  readonly examplesExponent: number;
  readonly examplesSharpness: number;
  readonly noise: NoiseOptions;
  readonly maxMove: number;
  readonly leastGain: number;
  readonly settledShare: number;
  readonly exploration: ExplorationOptions;
  readonly prior: TuningPrior | undefined;
}

/** @throws RangeError where a number is out of its range; the message names it */
export function goodputSettings(options: GoodputOptions): GoodputSettings {
  checkSizes(options);
  const { prior } = options;
  const traits = optimizerTraits(options.optimizer ?? 'adam');
  const settings: GoodputSettings = {
    sizes: options,
    criticalBatchFactor: options.criticalBatchFactor ?? traits.criticalBatchFactor,
    examplesExponent: options.examplesExponent ?? traits.examplesExponent,
    examplesSharpness: options.examplesSharpness ?? traits.examplesSharpness,
    noise: noiseOptions({ ...options, priorNoiseScale: options.priorNoiseScale ?? prior?.noiseScale }),
    maxMove: options.maxMove ?? 2,
    leastGain: options.leastGain ?? 0.03,
    settledShare: options.settledShare ?? 0.05,
    exploration: explorationOptions(options.exploration),
    prior,
  };
  checkAbove(settings.criticalBatchFactor, 'criticalBatchFactor');
  checkAbove(settings.examplesExponent, 'examplesExponent');
  if (settings.examplesExponent > 1)
    throw new RangeError(
      `examplesExponent is ${settings.examplesExponent}; give a number above 0, 1 at most.`,
    );
  const { examplesSharpness } = settings;
  if (!(examplesSharpness >= 1 && examplesSharpness <= SHARPEST))
    throw new RangeError(`examplesSharpness is ${examplesSharpness}; give a number from 1 to ${SHARPEST}.`);
  checkAbove(settings.maxMove, 'maxMove', 1);
  checkShare(settings.leastGain, 'leastGain');
  checkShare(settings.settledShare, 'settledShare');
  return settings;
}

/** How the examples to a target grow with the batch, at the noise that is believed. */
export const lawOf = (
  { noiseScale }: NoiseBelief,
  { criticalBatchFactor, examplesExponent, examplesSharpness }: GoodputSettings,
): ExamplesLaw => ({
  criticalBatchSize: criticalBatchFactor * noiseScale,
  examplesExponent,
  examplesSharpness,
});
