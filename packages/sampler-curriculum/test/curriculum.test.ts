import { sequential, shuffled, subset, type IndexSampler } from '@batchwise/sampler';
import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { babySteps, competence, curriculum, fixedDiscrete, fixedLinear, type Pacing } from '../src/index.ts';
import { ascending, countsOf, easiestFirst, orderOf, range, readAll, scatteredScores } from './support.ts';

/** For as long as a test reads. */
const constantly = (share: number): Pacing => ({
  limits: 'share',
  at: (examples) => (examples < 1e9 ? share : 1),
});

describe('who is let in', () => {
  const scores = scatteredScores(200);
  const easiest = easiestFirst(scores);

  it('is the easiest share at each position, the clock running over the epochs', () => {
    const pacing = competence({ examples: 450, initial: 0.05 });
    const sampler = curriculum(shuffled(200, { seed: 1 }), { difficulty: scores, pacing, seed: 2 });
    for (const epoch of [0, 1, 2]) {
      orderOf(sampler, epoch).forEach((example, position) => {
        // 0.05² = 0.0025.
        const share = Math.min(1, Math.sqrt(0.0025 + (0.9975 * (200 * epoch + position)) / 450));
        expect(easiest.indexOf(example)).toBeLessThan(200 * share);
      });
    }
    // 200 · 0.05 = 10 at first; all are needed to fill an epoch of their own.
    expect(new Set(orderOf(sampler, 0).slice(0, 9)).size).toBeLessThanOrEqual(10);
  });

  it('is the order of the inner sampler once all are in', () => {
    const inner = shuffled(200, { seed: 1 });
    const sampler = curriculum(inner, { difficulty: scores, pacing: competence({ examples: 300 }), seed: 2 });
    expect(orderOf(sampler, 1).slice(100)).toEqual(orderOf(inner, 1).slice(100));
    expect(orderOf(sampler, 2)).toEqual(orderOf(inner, 2));
  });

  it('is decided in the same way for independent draws', () => {
    const inner = { ...sequential(200), independent: shuffled(200, { seed: 1 }) };
    const options = { difficulty: scores, pacing: constantly(0.4), seed: 2 };
    const { independent } = curriculum(inner, options);
    expect(independent && orderOf(independent, 3)).toEqual(
      orderOf(curriculum(inner.independent, options), 3),
    );
    expect(curriculum(inner.independent, options).independent).toBeUndefined();
  });

  it('leaves those that are in where they were', () => {
    const inner = shuffled(200, { seed: 1 });
    const sampler = curriculum(inner, { difficulty: scores, pacing: constantly(0.4), seed: 2 });
    const isIn = new Set(easiest.slice(0, 80));
    const [before, after] = [orderOf(inner, 0), orderOf(sampler, 0)];
    before.forEach((example, position) => {
      if (isIn.has(example)) expect(after[position]).toBe(example);
      else expect(isIn.has(after[position] ?? -1)).toBe(true);
    });
  });

  it.each([
    [0.25, 4, 4],
    [0.4, 2, 3],
    [0.75, 1, 2],
    [0.03, 33, 34],
  ])('comes up nearly equally often within an epoch at share %d: %d to %d times', (share, least, most) => {
    const sampler = curriculum(shuffled(200, { seed: 1 }), {
      difficulty: scores,
      pacing: constantly(share),
      seed: 2,
    });
    const counts = countsOf(orderOf(sampler, 3), 200).filter((count) => count > 0);
    expect(counts).toHaveLength(200 * share);
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([least, most]);
  });

  it('comes up at any position equally often, over the epochs', () => {
    // 10 examples, 7 in: three take the places of others, each in its turn.
    const sampler = curriculum(shuffled(10, { seed: 1 }), {
      difficulty: scatteredScores(10),
      pacing: constantly(0.7),
      seed: 2,
    });
    const table = range(70).map(() => 0);
    const sevenEasiest = easiestFirst(scatteredScores(10)).slice(0, 7);
    for (let epoch = 0; epoch < 20_000; epoch++) {
      // One position per epoch: those of one epoch depend on each other.
      const position = epoch % 10;
      const [example = -1] = sampler.epoch(epoch, position).take(1);
      const cell = 10 * sevenEasiest.indexOf(example) + position;
      table[cell] = (table[cell] ?? 0) + 1;
    }
    // 2,000 draws of 7 at each of 10 positions: 10 · 6 degrees of freedom.
    expect(chiSquare(table)).toBeLessThan(chiSquareLimit(60));
  });

  it.each([
    [0.29, 100, 29],
    [0.57, 100, 57],
    [1 / 3, 9, 3],
    [0.999, 10, 9],
    [0.0001, 10, 1],
    [-1, 10, 1],
    [7, 10, 10],
  ])('at share %d of %d examples is %d of them', (share, size, expected) => {
    const difficulty = scatteredScores(size);
    const sampler = curriculum(sequential(size), { difficulty, pacing: constantly(share), seed: 2 });
    const seen = new Set(range(3).flatMap((epoch) => orderOf(sampler, epoch)));
    expect(ascending(seen)).toEqual(ascending(easiestFirst(difficulty).slice(0, expected)));
  });

  it('goes by the difficulty itself where the pacing does', () => {
    // Difficulties 3 3 5 8 9; up to 3 for 5 examples, to 8 for 5 more.
    const pacing = fixedDiscrete({ difficulty: [3, 8, 9], maxExamples: [5, 10] });
    const sampler = curriculum(sequential(5), { difficulty: [5, 3, 9, 3, 8], pacing, seed: 2 });
    const [first, second, third] = range(3).map((epoch) => ascending(new Set(orderOf(sampler, epoch))));
    expect(first).toEqual([1, 3]);
    expect(second).toEqual([0, 1, 3, 4]);
    expect(third).toEqual([0, 1, 2, 3, 4]);
  });

  it('is at least as many as asked for', () => {
    const sampler = curriculum(sequential(200), {
      difficulty: scores,
      pacing: constantly(0),
      atLeast: 30,
      seed: 2,
    });
    expect(ascending(new Set(orderOf(sampler, 0)))).toEqual(ascending(easiest.slice(0, 30)));
  });

  it('does not go by the order of the indices where difficulties are equal', () => {
    const pick = (seed: number) =>
      new Set(
        orderOf(
          curriculum(sequential(60), { difficulty: new Array(60).fill(1), pacing: constantly(0.5), seed }),
          0,
        ),
      );
    const counts = range(60).map(() => 0);
    for (let seed = 0; seed < 2000; seed++)
      for (const example of pick(seed)) counts[example] = (counts[example] ?? 0) + 1;
    // Drawn without replacement, the statistic is smaller than that of independent draws.
    expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(59));
  });
});

describe('the other orders, at the same pace', () => {
  const difficulty = scatteredScores(90);
  const easiest = easiestFirst(difficulty);
  const pacing = babySteps({ buckets: 3, examplesPerBucket: 90 });
  const inFirstEpoch = (ordering: 'curriculum' | 'anti-curriculum' | 'random-curriculum', seed: number) =>
    new Set(orderOf(curriculum(shuffled(90, { seed: 1 }), { difficulty, pacing, seed, ordering }), 0));

  it('are hard examples first, or any', () => {
    expect(ascending(inFirstEpoch('curriculum', 1))).toEqual(ascending(easiest.slice(0, 30)));
    expect(ascending(inFirstEpoch('anti-curriculum', 1))).toEqual(ascending(easiest.slice(60)));
    const counts = range(90).map(() => 0);
    for (let seed = 0; seed < 2000; seed++) {
      const chosen = inFirstEpoch('random-curriculum', seed);
      expect(chosen.size).toBe(30);
      for (const example of chosen) counts[example] = (counts[example] ?? 0) + 1;
    }
    expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(89));
  });

  it('let in as many where the pacing goes by difficulty', () => {
    const byValue = fixedDiscrete({ difficulty: [0.3, 1], maxExamples: [90] });
    const count = difficulty.filter((score) => score <= 0.3).length;
    for (const ordering of ['anti-curriculum', 'random-curriculum'] as const) {
      const sampler = curriculum(sequential(90), { difficulty, pacing: byValue, seed: 1, ordering });
      expect(new Set(orderOf(sampler, 0)).size).toBe(count);
    }
  });
});

describe('what it passes on', () => {
  const inner: IndexSampler = {
    size: 4,
    epoch: (index, startAt) => {
      const cursor = sequential(4).epoch(index, startAt);
      let weights: Float32Array | undefined;
      return {
        take(count) {
          const indices = cursor.take(count);
          weights = Float32Array.from(indices, (example) => 10 + example);
          return indices;
        },
        get weights() {
          return weights;
        },
      };
    },
    observe: () => undefined,
    state: () => 'inner',
  };

  it('are the weights of examples that stay, 1 for those that stand in', () => {
    const cursor = curriculum(inner, { difficulty: [4, 1, 2, 3], pacing: constantly(0.5), seed: 1 }).epoch(0);
    const indices = cursor.take(4);
    expect([...indices].every((example) => example === 1 || example === 2)).toBe(true);
    expect(cursor.weights).toEqual(Float32Array.of(1, 11, 12, 1));
  });

  it('is the feedback to the inner sampler, where it takes any', () => {
    const options = { difficulty: [4, 1, 2, 3], pacing: constantly(0.5), seed: 1 };
    expect(curriculum(inner, options).state?.()).toBe('inner');
    expect(curriculum(sequential(4), options).observe).toBeUndefined();
  });
});

describe('resumption', () => {
  it('is exact at each position, however the epoch is cut', () => {
    const difficulty = scatteredScores(57);
    const make = () =>
      curriculum(shuffled(57, { seed: 1 }), { difficulty, pacing: competence({ examples: 100 }), seed: 2 });
    const whole = orderOf(make(), 1);
    for (let startAt = 0; startAt <= 57; startAt++)
      expect(readAll(make().epoch(1, startAt), [5, 3])).toEqual(whole.slice(startAt));
  });
});

describe('bad input', () => {
  const pacing = competence({ examples: 10 });
  const options = { difficulty: [1, 2, 3], pacing, seed: 1 };
  const lengths = { minDifficulty: 2, maxDifficulty: 3, totalExamples: 10 };
  const upTo80 = fixedLinear({
    minDifficulty: 10,
    maxDifficulty: 80,
    totalExamples: 20,
    difficultyType: 'percentile',
  });
  it.each<[string, () => unknown]>([
    [
      'difficulty[1] is NaN; give finite numbers, or leave the example out by subset.',
      () => curriculum(sequential(3), { ...options, difficulty: [1, NaN, 3] }),
    ],
    [
      'difficulty[0] is Infinity; give finite numbers, or leave the example out by subset.',
      () => curriculum(sequential(3), { ...options, difficulty: [Infinity, 2, 3] }),
    ],
    [
      'curriculum got 3 difficulties for 4 examples; give one for each.',
      () => curriculum(sequential(4), options),
    ],
    [
      'curriculum got a sampler of 2 examples per epoch from a population of 3; wrap it the other way round, as in subset(indices, curriculum(…)).',
      () => curriculum(subset([0, 2], sequential(2)), options),
    ],
    [
      'seed is -1; give an integer from 0 to 9007199254740991.',
      () => curriculum(sequential(3), { ...options, seed: -1 }),
    ],
    [
      'atLeast is 4; give an integer from 1 to 3.',
      () => curriculum(sequential(3), { ...options, atLeast: 4 }),
    ],
    [
      'The pacing begins at difficulty 2, and the easiest example has 2.5; begin there or above, or give atLeast.',
      () => curriculum(sequential(3), { ...options, difficulty: [3, 3, 2.5], pacing: fixedLinear(lengths) }),
    ],
    [
      'The pacing ends at difficulty 3, and 2 examples are harder, up to 7; end there, or leave them out by subset.',
      () => curriculum(sequential(3), { ...options, difficulty: [7, 2, 5], pacing: fixedLinear(lengths) }),
    ],
    [
      'The pacing ends at share 0.8, so the rest would never be let in; end at 1 (percentile 100), or leave them out by subset.',
      () => curriculum(sequential(3), { ...options, pacing: upTo80 }),
    ],
    [
      'The pacing ends at share 0.8, so the rest would never be let in; end at 1 (percentile 100), or leave them out by subset.',
      () => curriculum(sequential(3), { ...options, pacing: upTo80, atLeast: 2 }),
    ],
    [
      'The pacing gave NaN after 0 examples; correct its formula.',
      () => orderOf(curriculum(sequential(3), { ...options, pacing: constantly(NaN) }), 0),
    ],
  ])('is refused: %s', (message, make) => {
    expect(make).toThrow(new RangeError(message));
  });

  it('may end below the whole where all are let in from the first example on', () => {
    const all = curriculum(sequential(3), { ...options, pacing: upTo80, atLeast: 3 });
    expect(orderOf(all, 9)).toEqual([0, 1, 2]);
  });

  it('may begin below the easiest where a number of examples is asked for', () => {
    const late = { ...options, difficulty: [3, 3, 2.5], pacing: fixedLinear(lengths), atLeast: 1 };
    expect(orderOf(curriculum(sequential(3), late), 0)).toEqual([2, 2, 2]);
  });
});
