export { hardest, type HardestOptions } from './hardest.ts';
export {
  addPool,
  gainThreshold,
  isWorthSampling,
  samplingGain,
  type ImportanceGateState,
  type PoolSizes,
} from './importance-gate.ts';
export { resamplePool, type Resampled, type ResampleOptions } from './resample-pool.ts';
export { batchHardTriplets, semiHardTriplets, type EmbeddedBatch } from './triplets.ts';
