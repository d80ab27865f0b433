import { classBalanced, stratified, type IndexSampler } from '@batchwise/sampler';
import { bucketed } from '@batchwise/sampler-bucket';
import {
  babySteps,
  competence,
  curriculum,
  lossCurriculum,
  type LossCurriculumState,
} from '@batchwise/sampler-curriculum';
import {
  adjustable,
  lossProportional,
  prioritized,
  weighted,
  weightedWithoutReplacement,
  type AdjustableState,
  type ScoresState,
} from '@batchwise/sampler-weighted';
import { describeSampler } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';

const range = (size: number): number[] => Array.from({ length: size }, (_, k) => k);

/** A whole epoch in one go. */
const orderOf = (sampler: IndexSampler, epoch: number): number[] => [
  ...sampler.epoch(epoch).take(sampler.size),
];

/** How often each of `size` examples comes up. */
function countsOf(indices: readonly number[], size: number): number[] {
  const counts = range(size).map(() => 0);
  for (const index of indices) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

/** The examples from the easiest on. */
const easiestFirst = (scores: readonly number[]): number[] =>
  range(scores.length).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));

const SIZE = 57;
const difficulty = range(SIZE).map((k) => (k * 0.6180339887498949) % 1);
const weights = range(SIZE).map((k) => 1 + (k % 5));
const labels = range(SIZE).map((k) => (k % 11 === 0 ? 2 : k % 3 === 0 ? 1 : 0));
const lengths = range(SIZE).map((k) => 1 + ((k * 7) % 30));
const pacing = competence({ examples: 100 });
const options = { difficulty, pacing, seed: 4 };
const repeats = { eachOnce: false };
const byLoss = (state?: ScoresState) => lossProportional(SIZE, { seed: 3, staleAfter: 20, state });

const inner = {
  weighted: () => weighted(weights, { seed: 3, beta: 1 }),
  'weightedWithoutReplacement, whole,': () => weightedWithoutReplacement(weights, { seed: 3 }),
  classBalanced: () => classBalanced(labels, { seed: 3 }),
  'stratified with replacement': () => stratified(labels, { seed: 3, replacement: true }),
  bucketed: () => bucketed(lengths, { seed: 3, group: { examples: 4 }, poolSize: 20 }),
};
for (const [name, make] of Object.entries(inner)) {
  describeSampler(`curriculum over ${name}`, () => curriculum(make(), options), repeats);
  describeSampler(
    `lossCurriculum over ${name}`,
    (state?: LossCurriculumState) => lossCurriculum(make(), { pacing, seed: 4, staleAfter: 20, state }),
    repeats,
  );
}
describeSampler(
  'curriculum over lossProportional',
  (state?: ScoresState) => curriculum(byLoss(state), options),
  repeats,
);
describeSampler(
  'curriculum over prioritized',
  (state?: ScoresState) => curriculum(prioritized(SIZE, { seed: 3, state }), options),
  repeats,
);
describeSampler(
  'curriculum over adjustable',
  (state?: AdjustableState) => curriculum(adjustable(weights, { seed: 3, beta: 1, state }), options),
  repeats,
);
describeSampler(
  'curriculum over bucketed over lossProportional',
  (state?: ScoresState) =>
    curriculum(bucketed(lengths, { seed: 3, group: { examples: 4 }, order: byLoss(state) }), options),
  repeats,
);
describeSampler(
  'bucketed over curriculum over lossProportional',
  (state?: ScoresState) =>
    bucketed(lengths, { seed: 3, group: { examples: 4 }, order: curriculum(byLoss(state), options) }),
  repeats,
);

describe('a curriculum over draws by weight', () => {
  it('leads the importance weights along with examples that are in, and has 1 for those that stand in', () => {
    const sampler = weighted(weights, { seed: 3, beta: 1 });
    // Half of them, the easiest, for as long as the test reads.
    const half = babySteps({ buckets: 2, examplesPerBucket: 1e6 });
    const cursor = curriculum(sampler, { ...options, pacing: half }).epoch(2);
    const drawn = orderOf(sampler, 2);
    const indices = cursor.take(SIZE);
    const easy = new Set(easiestFirst(difficulty).slice(0, 28));
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / SIZE;
    const expected = drawn.map((example) => (easy.has(example) ? mean / (weights[example] ?? NaN) : 1));
    expect(expected.filter((weight) => weight !== 1).length).toBeGreaterThan(15);
    expected.forEach((weight, k) => expect(cursor.weights?.[k]).toBeCloseTo(weight, 6));
    drawn.forEach((example, k) => {
      if (easy.has(example)) expect(indices[k]).toBe(example);
      else expect(easy.has(indices[k] ?? -1)).toBe(true);
    });
  });

  it('is the inner sampler to the bit, weights and all, once all are in', () => {
    const all = babySteps({ buckets: 1, examplesPerBucket: 1 });
    for (const make of [inner.weighted, inner.classBalanced, inner.bucketed]) {
      const [own, paced] = [make(), curriculum(make(), { ...options, pacing: all })].map((each) =>
        each.epoch(3),
      );
      for (const count of [1, 20, 30, 9]) {
        expect(paced?.take(count)).toEqual(own?.take(count));
        expect(paced?.weights).toEqual(own?.weights);
      }
    }
  });
});

describe('a curriculum over classBalanced', () => {
  it('keeps the balance of the classes once all are in', () => {
    const sampler = curriculum(classBalanced(labels, { seed: 3 }), options);
    expect(
      countsOf(
        orderOf(sampler, 2).map((example) => labels[example] ?? -1),
        3,
      ),
    ).toEqual([19, 19, 19]);
  });
});

describe('a curriculum over draws of another number than there are examples', () => {
  it('is refused', () => {
    for (const size of [30, 80])
      expect(() => curriculum(weighted(weights, { seed: 3, size }), options)).toThrow(
        new RangeError(
          `curriculum got a sampler of ${size} examples per epoch from a population of 57; wrap it the other way round, as in subset(indices, curriculum(…)).`,
        ),
      );
  });
});

describe('what a curriculum is told', () => {
  it('reaches a sampler that learns, index by index and loss by loss', () => {
    const told: [indices: ArrayLike<number>, losses: ArrayLike<number>][] = [];
    const learning = byLoss();
    const sampler = curriculum({ ...learning, observe: (...both) => void told.push(both) }, options);
    const [indices, losses] = [Int32Array.of(4, 0, 56, 4), Float32Array.of(0.5, 2, NaN, 8)];
    sampler.observe?.(indices, losses);
    expect(told).toEqual([[indices, losses]]);
    expect(told[0]?.[0]).toBe(indices);
    expect(told[0]?.[1]).toBe(losses);
  });

  it('changes what it draws from then on as it changes the inner sampler', () => {
    const told = (sampler: IndexSampler) =>
      range(SIZE).forEach((index) => sampler.observe?.([index], [index % 7]));
    const [alone, within] = [byLoss(), byLoss()];
    const sampler = curriculum(within, options);
    told(alone);
    told(sampler);
    expect(within.state()).toEqual(alone.state());
    expect(sampler.state?.()).toEqual(alone.state());
    // The last twenty of 57 are known.
    expect(within.state().scores).toEqual(range(SIZE).map((index) => (index < 37 ? null : index % 7)));
    expect(orderOf(sampler, 2)).toEqual(orderOf(alone, 2));
  });

  it('is refused where the inner sampler refuses it, and where two samplers would learn', () => {
    const within = byLoss();
    expect(() => curriculum(within, options).observe?.([57], [1])).toThrow(
      new RangeError('indices[0] is 57; give an integer from 0 to 56.'),
    );
    expect(() => curriculum(within, options).observe?.([1], [-1])).toThrow(
      new RangeError('losses[0] is -1; give losses of 0 or more, such as their distance to the least one.'),
    );
    expect(within.state()).toEqual(byLoss().state());
    expect(() => lossCurriculum(within, { pacing, seed: 4 })).toThrow(
      new RangeError(
        'lossCurriculum got a sampler that learns from losses itself; give it one that does not, or use curriculum.',
      ),
    );
  });
});
