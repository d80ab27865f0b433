export { classBalanced, stratified, type ByClassOptions } from './by-class.ts';
export { concatenated } from './concatenated.ts';
export { gathered, type GatheredCursor, type GatheredSource } from './gathered.ts';
export { independentDraws, type IndependentDraws } from './independent-draws.ts';
export {
  populationOf,
  randomAccessSampler,
  requireExamples,
  requireObservation,
  requirePosition,
  type AdaptiveSampler,
  type IndexCursor,
  type IndexSampler,
  type Json,
  type ReadPositions,
} from './index-sampler.ts';
export { MinHeap } from './min-heap.ts';
export { mixed, type MixedOptions, type MixedPart } from './mixed.ts';
export { passFeedback } from './pass-feedback.ts';
export { passIndependent } from './pass-independent.ts';
export { MAX_SIZE, requireInteger, type IntegerRange } from './require-integer.ts';
export { derivedSeed, seededRandom, type SeededRandom } from './seeded-random.ts';
export { sequential } from './sequential.ts';
export { shard, type Shard } from './shard.ts';
export { shuffled, type ShuffledOptions } from './shuffled.ts';
export { subset } from './subset.ts';
export { withReplacement, type WithReplacementOptions } from './with-replacement.ts';
