export { gathered, type GatheredCursor, type GatheredSource } from './gathered.ts';
export type { IndexCursor, IndexSampler } from './index-sampler.ts';
export { seededRandom, type SeededRandom } from './seeded-random.ts';
export { sequential } from './sequential.ts';
export { shuffled, type ShuffledOptions } from './shuffled.ts';
export { subset } from './subset.ts';
