export { gathered, type GatheredCursor, type GatheredSource } from './gathered.ts';
export {
  populationOf,
  randomAccessSampler,
  requireObservation,
  requirePosition,
  type AdaptiveSampler,
  type IndexCursor,
  type IndexSampler,
  type Json,
  type ReadPositions,
} from './index-sampler.ts';
export { passFeedback } from './pass-feedback.ts';
export { MAX_SIZE, requireInteger, type IntegerRange } from './require-integer.ts';
export { seededRandom, type SeededRandom } from './seeded-random.ts';
export { sequential } from './sequential.ts';
export { shuffled, type ShuffledOptions } from './shuffled.ts';
export { subset } from './subset.ts';
