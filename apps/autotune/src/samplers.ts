import { classBalanced, shuffled, stratified, type IndexSampler } from '@batchwise/sampler';
import { competence, lossCurriculum, type Ordering } from '@batchwise/sampler-curriculum';
import { effectiveNumberWeights, lossProportional, weighted } from '@batchwise/sampler-weighted';

/** What the samplers of the app are made for. */
export interface SamplerTask {
  /** The class of each example, 0 to `classes` − 1. */
  readonly labels: Uint8Array;
  readonly classes: number;
  readonly seed: number;
  /** Examples until a curriculum lets all of them in. */
  readonly curriculumExamples: number;
  /** How far importance weights make up for draws that are not alike, 0 to 1. Default: that of the sampler. */
  readonly beta?: number | undefined;
  /** Share of the draws that go to all examples alike. Default: that of the sampler. */
  readonly floor?: number | undefined;
}

/** β of the effective number of examples, as the paper takes it for small data sets. */
const EFFECTIVE_NUMBER_BETA = 0.999;

/** Share of the draws of hard examples that go to all alike: noise in the labels is hard, too. */
const HARD_FLOOR = 0.2;

const byCurriculum =
  (ordering: Ordering) =>
  ({ labels, seed, curriculumExamples }: SamplerTask): IndexSampler =>
    lossCurriculum(shuffled(labels.length, { seed }), {
      pacing: competence({ examples: curriculumExamples }),
      ordering,
      seed,
    });

const SAMPLERS = {
  shuffled: ({ labels, seed }: SamplerTask) => shuffled(labels.length, { seed }),
  stratified: ({ labels, seed }: SamplerTask) => stratified(labels, { seed }),
  balanced: ({ labels, seed }: SamplerTask) => classBalanced(labels, { seed }),
  weighted: ({ labels, classes, seed, beta = 0 }: SamplerTask) =>
    weighted(weightsByClass(labels, classes), { seed, beta }),
  importance: ({ labels, seed, beta = 1, floor }: SamplerTask) =>
    lossProportional(labels.length, { seed, beta, ...(floor !== undefined && { floor }) }),
  hard: ({ labels, seed, beta = 0, floor = HARD_FLOOR }: SamplerTask) =>
    lossProportional(labels.length, { seed, beta, floor }),
  curriculum: byCurriculum('curriculum'),
  'anti-curriculum': byCurriculum('anti-curriculum'),
  'random-curriculum': byCurriculum('random-curriculum'),
} as const satisfies Record<string, (task: SamplerTask) => IndexSampler>;

export type SamplerName = keyof typeof SAMPLERS;

/** Which samplers have an option of their own, by its name in the command's options. */
export const SAMPLERS_WITH: Readonly<Record<string, readonly SamplerName[]>> = {
  curriculumEpochs: ['curriculum', 'anti-curriculum', 'random-curriculum'],
  samplerBeta: ['weighted', 'importance', 'hard'],
  samplerFloor: ['importance', 'hard'],
};

/** One line of help for all of them. */
export const SAMPLER_HELP =
  'shuffled; stratified: each batch has the classes in their shares; balanced: in equal shares; weighted: rare classes ' +
  'more often, by the effective number of examples; importance: high losses more often, corrected by importance ' +
  'weights; hard: not corrected; curriculum: low losses first; anti-curriculum and random-curriculum: its controls';

export const SAMPLER_NAMES = Object.keys(SAMPLERS) as readonly SamplerName[];

/**
 * The order in which training visits its examples.
 * @throws RangeError where the data do not allow it, such as a class without examples
 */
export const makeSampler = (name: SamplerName, task: SamplerTask): IndexSampler => SAMPLERS[name](task);

function weightsByClass(labels: Uint8Array, classes: number): Float64Array {
  const counts = Array.from({ length: classes }, () => 0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  const weights = effectiveNumberWeights(counts, { beta: EFFECTIVE_NUMBER_BETA });
  return Float64Array.from(labels, (label) => weights[label] ?? 0);
}
