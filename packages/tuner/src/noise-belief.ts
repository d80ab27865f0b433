import { noiseScale, type NoiseScaleState } from '@batchwise/noise-scale';

export interface NoisePrior {
  /** φ0, examples: believed before anything was measured. */
  readonly priorNoiseScale: number;
  /** Bounds of φ, examples. */
  readonly minNoiseScale: number;
  readonly maxNoiseScale: number;
}

/** What is believed of the gradient noise scale φ. */
export interface NoiseBelief {
  /** φ̂, examples. */
  readonly noiseScale: number;
  /** Standard error of ln φ̂. */
  readonly relativeError: number;
  /** False where the prior is all there is. */
  readonly measured: boolean;
  /** True while the gradient drowns in its noise: φ may be anything larger. */
  readonly unresolved: boolean;
}

/** Where the measurement gives no standard error, φ̂ may be off by a factor e. */
const UNKNOWN_ERROR = 1;

/**
 * φ̂ = φ^w φ0^(1−w), the measured ratio of averages drawn towards the prior in logarithms and then held inside the
 * interval that was measured. The weight is w = W/(W + φ) for W measured examples: the relative variance of φ is
 * about φ/W (the d_eff and ρ terms of its sampling error come to about 1), that of the prior is taken to be 1, and
 * precisions add. A mean |G|² at or below 0 stands for the largest φ allowed.
 */
export function believedNoiseScale(state: NoiseScaleState | null, prior: NoisePrior): NoiseBelief {
  const { priorNoiseScale, minNoiseScale, maxNoiseScale } = prior;
  const within = (value: number): number => Math.min(maxNoiseScale, Math.max(minNoiseScale, value));
  const seen = noiseScale(state ?? undefined);
  if (!seen.known && seen.why === 'tooFewSamples')
    return {
      noiseScale: within(priorNoiseScale),
      relativeError: UNKNOWN_ERROR,
      measured: false,
      unresolved: false,
    };
  const { squaredGradientNorm, gradientVarianceTrace, measuredExamples } = seen;
  const ratio = squaredGradientNorm > 0 ? gradientVarianceTrace / squaredGradientNorm : maxNoiseScale;
  const raw = within(ratio);
  const weight = measuredExamples / (measuredExamples + raw);
  const shrunk = Math.exp(weight * Math.log(raw) + (1 - weight) * Math.log(priorNoiseScale));
  const [lower, upper] = seen.known ? [seen.lower, seen.upper] : [seen.atLeast ?? 0, Infinity];
  const error = seen.known ? seen.relativeStandardError : UNKNOWN_ERROR;
  return {
    noiseScale: within(Math.min(upper, Math.max(lower, shrunk))),
    relativeError: Number.isFinite(error) ? error : UNKNOWN_ERROR,
    measured: true,
    unresolved: !seen.known,
  };
}
