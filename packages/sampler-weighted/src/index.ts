export {
  adjustable,
  type AdjustableOptions,
  type AdjustableSampler,
  type AdjustableState,
} from './adjustable.ts';
export { effectiveNumberWeights } from './effective-number.ts';
export type { AnnealedBeta, Beta } from './importance-weights.ts';
export { lossProportional, type LossProportionalOptions } from './loss-proportional.ts';
export { prioritized, type PrioritizedOptions } from './prioritized.ts';
export type { ScoreOptions } from './score-sampler.ts';
export type { ScoresState } from './scored-examples.ts';
export { SumTree } from './sum-tree.ts';
export {
  weightedWithoutReplacement,
  type WithoutReplacementOptions,
} from './weighted-without-replacement.ts';
export { weighted, type WeightedOptions } from './weighted.ts';
