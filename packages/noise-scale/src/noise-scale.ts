import { NO_SAMPLES, type NoiseScaleState } from './noise-scale-state.ts';
import { fiellerLimits, relativeStandardError, type RatioMoments } from './ratio-limits.ts';
import { studentQuantile } from './student-quantile.ts';

/**
 * Below this a variance between samples says nothing. Three samples of equal weight are 3 effective ones; the half
 * leaves room for what was forgotten meanwhile.
 */
const MIN_EFFECTIVE_SAMPLES = 2.5;

/** What the averages rest on, known or not. */
export interface NoiseScaleAverages {
  /** Weighted mean of the estimates of |G|²; may be 0 or negative while it is not resolved. 0 without samples. */
  readonly squaredGradientNorm: number;
  /** Weighted mean of the estimates of tr Σ. 0 without samples. */
  readonly gradientVarianceTrace: number;
  /** Steps added. */
  readonly samples: number;
  /** (Σ w)² / Σ w²: as many samples of equal weight would be as good. */
  readonly effectiveSamples: number;
  /** Σ w: the examples that the averages still rest on, after forgetting. */
  readonly measuredExamples: number;
}

/** The noise scale with its uncertainty. */
export interface KnownNoiseScale extends NoiseScaleAverages {
  readonly known: true;
  /** B_simple = tr Σ / |G|² in examples, 0 or more: at this batch size noise and gradient are equally large. */
  readonly noiseScale: number;
  /** Lower end of the confidence interval, in examples, 0 or more. */
  readonly lower: number;
  /** Upper end of the confidence interval, in examples. */
  readonly upper: number;
  /** Standard error of `noiseScale` as a fraction of it (of its logarithm, to first order). Infinity where it is 0. */
  readonly relativeStandardError: number;
}

/** No noise scale yet, and why. */
export interface UnknownNoiseScale extends NoiseScaleAverages {
  readonly known: false;
  /** `gradientNotResolved`: the mean of |G|² is not significantly above 0, so any large noise scale is possible. */
  readonly why: 'tooFewSamples' | 'gradientNotResolved';
  /** The noise scale is above this, in examples. Absent where not even that can be said. */
  readonly atLeast?: number;
}

/** Discriminated by `known`. */
export type NoiseScale = KnownNoiseScale | UnknownNoiseScale;

/** How sure the interval is to be. */
export interface NoiseScaleOptions {
  /** Confidence level of the interval, above 0 and below 1. Default 0.95. */
  readonly confidence?: number;
}

/**
 * The gradient noise scale B_simple = tr Σ / |G|² (McCandlish et al. 2018, arXiv 1812.06162, eq. 2.9) as the ratio of
 * the two averages, with an interval by Fieller's theorem: the ratio's distribution is too skewed for ± 2 errors.
 * The samples count as independent, and the estimate is one of the weights as they were over the horizon.
 *
 * @param state `undefined` before the first step
 * @throws RangeError when `confidence` is not above 0 and below 1
 */
export function noiseScale(
  state: NoiseScaleState | undefined,
  { confidence = 0.95 }: NoiseScaleOptions = {},
): NoiseScale {
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`confidence is ${confidence}; give a number above 0 and below 1, such as 0.95.`);
  }
  const sums = state ?? NO_SAMPLES;
  const averages = averagesOf(sums);
  if (averages.effectiveSamples < MIN_EFFECTIVE_SAMPLES) {
    return { known: false, why: 'tooFewSamples', ...averages };
  }
  const ratio = ratioOf(sums, averages);
  const { lower, upper } = fiellerLimits(ratio, studentQuantile(confidence, averages.effectiveSamples - 1));
  if (upper === undefined) {
    return {
      known: false,
      why: 'gradientNotResolved',
      ...averages,
      ...(lower === undefined ? {} : { atLeast: lower }),
    };
  }
  return {
    known: true,
    // Below 0 only by rounding, where all micro-batches gave the same gradient.
    noiseScale: Math.max(0, ratio.numerator / ratio.denominator),
    lower,
    upper,
    relativeStandardError: relativeStandardError(ratio),
    ...averages,
  };
}

function averagesOf(state: NoiseScaleState): NoiseScaleAverages {
  return {
    squaredGradientNorm: state.squaredGradientNorm,
    gradientVarianceTrace: state.gradientVarianceTrace,
    samples: state.samples,
    effectiveSamples: state.samples === 0 ? 0 : state.weight ** 2 / state.squaredWeight,
    measuredExamples: state.weight,
  };
}

/** Variance of a weighted mean: the samples' variance, Σ w (x − x̄)² / (Σ w · (1 − 1/n)), over n effective samples. */
function ratioOf(state: NoiseScaleState, { effectiveSamples }: NoiseScaleAverages): RatioMoments {
  const divisor = state.weight * (effectiveSamples - 1);
  return {
    numerator: state.gradientVarianceTrace,
    denominator: state.squaredGradientNorm,
    numeratorVariance: state.traceDeviation / divisor,
    denominatorVariance: state.normDeviation / divisor,
    covariance: state.jointDeviation / divisor,
  };
}
