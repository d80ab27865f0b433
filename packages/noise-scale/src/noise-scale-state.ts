import { gradientComponents, type GradientComponents, type GradientMoments } from './gradient-components.ts';

/**
 * Running averages over the measured steps; survives JSON. A step weighs as much as it has examples, and less the
 * more examples were measured after it. All sums below run over the steps with these weights w.
 */
export type NoiseScaleState = {
  /** Steps added, whatever they weigh by now. */
  readonly samples: number;
  /** Σ w, in examples. */
  readonly weight: number;
  /** Σ w². */
  readonly squaredWeight: number;
  /** Weighted mean x̄ of the estimates x of |G|². */
  readonly squaredGradientNorm: number;
  /** Weighted mean ȳ of the estimates y of tr Σ. */
  readonly gradientVarianceTrace: number;
  /** Σ w (x − x̄)². */
  readonly normDeviation: number;
  /** Σ w (y − ȳ)². */
  readonly traceDeviation: number;
  /** Σ w (x − x̄)(y − ȳ). */
  readonly jointDeviation: number;
};

/** The state before the first sample. */
export const NO_SAMPLES: NoiseScaleState = {
  samples: 0,
  weight: 0,
  squaredWeight: 0,
  squaredGradientNorm: 0,
  gradientVarianceTrace: 0,
  normDeviation: 0,
  traceDeviation: 0,
  jointDeviation: 0,
};

/** How fast earlier steps lose their say. */
export interface ForgettingOptions {
  /** After this many more measured examples a step counts for 1/e of what it did; `Infinity` forgets nothing. */
  readonly horizonExamples: number;
}

/**
 * The state with one measured step more. Components are averaged, never their ratios: a single step's |G|² may be
 * negative, and the mean of ratios does not exist. For the same reason nothing is clamped on the way.
 *
 * A step whose numbers are not finite (an overflowed gradient) leaves the state as it is.
 *
 * @param state `undefined` before the first step
 * @throws RangeError when `horizonExamples` is not above 0, and as `gradientComponents`
 */
export function addSample(
  state: NoiseScaleState | undefined,
  moments: GradientMoments,
  { horizonExamples }: ForgettingOptions,
): NoiseScaleState {
  if (!(horizonExamples > 0)) {
    throw new RangeError(
      `horizonExamples is ${horizonExamples}; give a number above 0, or Infinity to forget nothing.`,
    );
  }
  const before = state ?? NO_SAMPLES;
  const sample = gradientComponents(moments);
  const after = averaged(faded(before, Math.exp(-sample.examples / horizonExamples)), sample);
  return Object.values(after).every(Number.isFinite) ? after : before;
}

/** All weights times `factor`. */
function faded(state: NoiseScaleState, factor: number): NoiseScaleState {
  return {
    ...state,
    weight: factor * state.weight,
    squaredWeight: factor ** 2 * state.squaredWeight,
    normDeviation: factor * state.normDeviation,
    traceDeviation: factor * state.traceDeviation,
    jointDeviation: factor * state.jointDeviation,
  };
}

/**
 * Weighted means and deviations brought up to date (D. H. D. West, "Updating mean and variance estimates: an improved
 * method", CACM 22(9), 1979): no difference of two large sums of squares.
 */
function averaged(state: NoiseScaleState, sample: GradientComponents): NoiseScaleState {
  const weight = state.weight + sample.examples;
  const share = sample.examples / weight;
  const normShift = sample.squaredGradientNorm - state.squaredGradientNorm;
  const traceShift = sample.gradientVarianceTrace - state.gradientVarianceTrace;
  const leverage = state.weight * share;
  return {
    samples: state.samples + 1,
    weight,
    squaredWeight: state.squaredWeight + sample.examples ** 2,
    squaredGradientNorm: state.squaredGradientNorm + share * normShift,
    gradientVarianceTrace: state.gradientVarianceTrace + share * traceShift,
    normDeviation: state.normDeviation + leverage * normShift ** 2,
    traceDeviation: state.traceDeviation + leverage * traceShift ** 2,
    jointDeviation: state.jointDeviation + leverage * normShift * traceShift,
  };
}
