export { gradientComponents, type GradientComponents, type GradientMoments } from './gradient-components.ts';
export { addSample, type ForgettingOptions, type NoiseScaleState } from './noise-scale-state.ts';
export {
  noiseScale,
  type KnownNoiseScale,
  type NoiseScale,
  type NoiseScaleAverages,
  type NoiseScaleOptions,
  type UnknownNoiseScale,
} from './noise-scale.ts';
