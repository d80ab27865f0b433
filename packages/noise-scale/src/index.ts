export { denseSquaredNorms, type DenseLayer } from './dense-norms.ts';
export { gradientCosine, normTest, type NormTest } from './diagnostics.ts';
export { effectiveSize } from './effective-size.ts';
export {
  gradientComponents,
  type GradientComponents,
  type GradientMoments,
  type PenaltyMoments,
} from './gradient-components.ts';
export { addGroupSamples, type GroupStates } from './groups.ts';
export { momentsOf, momentsOfExamples, type MomentsOptions } from './moments.ts';
export { addSample, type ForgettingOptions, type NoiseScaleState } from './noise-scale-state.ts';
export {
  noiseScale,
  type KnownNoiseScale,
  type NoiseScale,
  type NoiseScaleAverages,
  type NoiseScaleOptions,
  type UnknownNoiseScale,
} from './noise-scale.ts';
