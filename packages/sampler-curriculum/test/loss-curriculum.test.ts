import { sequential, shuffled, subset } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import {
  competence,
  lossCurriculum,
  selfPaced,
  type LossCurriculumState,
  type Pacing,
} from '../src/index.ts';
import { ascending, easiestFirst, orderOf, range, scatteredScores } from './support.ts';

const constantly = (share: number): Pacing => ({ limits: 'share', at: () => share });
const inEpoch = (sampler: ReturnType<typeof lossCurriculum>, epoch: number) =>
  ascending(new Set(orderOf(sampler, epoch)));

describe('lossCurriculum', () => {
  const losses = scatteredScores(100);
  const easiest = easiestFirst(losses);

  it('begins with the order of the inner sampler, and narrows as losses come in', () => {
    const inner = shuffled(100, { seed: 1 });
    const sampler = lossCurriculum(inner, { pacing: constantly(0.25), seed: 2 });
    expect(orderOf(sampler, 0)).toEqual(orderOf(inner, 0));
    sampler.observe(range(100), losses);
    expect(inEpoch(sampler, 0)).toEqual(ascending(easiest.slice(0, 25)));
  });

  it('lets in all without a loss, and a share of those with one', () => {
    const sampler = lossCurriculum(sequential(100), { pacing: constantly(0.1), seed: 2 });
    sampler.observe(range(60), losses.slice(0, 60));
    const easiestKnown = easiest.filter((example) => example < 60).slice(0, 6);
    expect(inEpoch(sampler, 3)).toEqual(ascending([...easiestKnown, ...range(40).map((k) => 60 + k)]));
  });

  it('goes by the latest loss of each example, in any order of telling', () => {
    const told = lossCurriculum(sequential(100), { pacing: constantly(0.25), seed: 2 });
    const parts = lossCurriculum(sequential(100), { pacing: constantly(0.25), seed: 2 });
    told.observe(range(100), losses);
    // First the wrong way round, asked in between; then again as above, in small parts from the end.
    parts.observe(
      range(100),
      losses.map((loss) => 1 - loss),
    );
    expect(inEpoch(parts, 0)).toEqual(ascending(easiest.slice(75)));
    for (let end = 100; end > 0; end -= 10) {
      const part = range(10).map((k) => end - 10 + k);
      parts.observe(
        part,
        part.map((example) => losses[example] ?? NaN),
      );
      orderOf(parts, 0);
    }
    for (const epoch of [0, 1]) expect(orderOf(parts, epoch)).toEqual(orderOf(told, epoch));
    parts.observe([easiest[99] ?? 0, easiest[0] ?? 0], [-5, 5]);
    expect(inEpoch(parts, 0)).toEqual(ascending([easiest[99] ?? 0, ...easiest.slice(1, 25)]));
  });

  it('takes effect for cursors that are open', () => {
    const sampler = lossCurriculum(sequential(6), { pacing: constantly(1 / 6), seed: 2, atLeast: 1 });
    const cursor = sampler.epoch(0);
    expect([...cursor.take(2)]).toEqual([0, 1]);
    sampler.observe(range(6), [5, 4, 3, 2, 1, 0]);
    expect([...cursor.take(9)]).toEqual([5, 5, 5, 5]);
  });

  it('lets an example in again once its loss is out of date', () => {
    const sampler = lossCurriculum(sequential(4), { pacing: constantly(0.5), seed: 2, staleAfter: 6 });
    sampler.observe([0, 1, 2, 3], [1, 2, 3, 4]);
    expect(inEpoch(sampler, 0)).toEqual([0, 1]);
    // After the eighth loss, five others came in after that of 2, the third; after the ninth, six.
    sampler.observe([0, 1, 0, 1], [1, 2, 1, 2]);
    expect(sampler.state().losses).toEqual([1, 2, 3, 4]);
    expect(inEpoch(sampler, 0)).toEqual([0, 1]);
    sampler.observe([0], [1]);
    expect(sampler.state()).toEqual({ losses: [1, 2, null, 4], toldAt: [8, 7, 0, 3], told: 9 });
    // Without a loss it is in; of the three others, one is half of them, rounded down.
    expect(inEpoch(sampler, 0)).toEqual([0, 2]);
  });

  it('lets in at least a hundredth, or what is asked for', () => {
    for (const [atLeast, expected] of [
      [undefined, 3],
      [40, 40],
    ] as const) {
      const sampler = lossCurriculum(sequential(300), {
        pacing: selfPaced({ threshold: 1e-9, every: 1000 }),
        seed: 2,
        ...(atLeast && { atLeast }),
      });
      sampler.observe(
        range(300),
        scatteredScores(300).map((loss) => 1 + loss),
      );
      expect(inEpoch(sampler, 0)).toHaveLength(expected);
    }
  });

  it('is self-paced learning with a threshold that grows', () => {
    // At most 1 for 4 examples, 2 for the next 4, then 4 and 8.
    const sampler = lossCurriculum(sequential(4), {
      pacing: selfPaced({ threshold: 1, every: 4, growth: 2 }),
      seed: 2,
    });
    sampler.observe([0, 1, 2, 3], [7, 0.5, 2, 3]);
    expect(range(4).map((epoch) => inEpoch(sampler, epoch))).toEqual([[1], [1, 2], [1, 2, 3], [0, 1, 2, 3]]);
  });

  it('has the other orders at the same pace', () => {
    const inOrder = (ordering: 'anti-curriculum' | 'random-curriculum', seed: number) => {
      const sampler = lossCurriculum(sequential(100), { pacing: constantly(0.25), seed, ordering });
      sampler.observe(range(100), losses);
      return inEpoch(sampler, 0);
    };
    expect(inOrder('anti-curriculum', 1)).toEqual(ascending(easiest.slice(75)));
    expect(inOrder('random-curriculum', 1)).toHaveLength(25);
    expect(inOrder('random-curriculum', 1)).not.toEqual(inOrder('random-curriculum', 2));
  });

  it('leaves out losses that are not finite, and counts them for nothing', () => {
    const sampler = lossCurriculum(sequential(4), { pacing: constantly(0.5), seed: 2, staleAfter: 4 });
    sampler.observe([0, 1, 2, 3], [1, 2, 3, 4]);
    const before = sampler.state();
    sampler.observe([0, 1, 2, 3, 3], [NaN, Infinity, -Infinity, NaN, NaN]);
    expect(sampler.state()).toEqual(before);
  });

  it('goes on from its state through JSON in the middle of an epoch', () => {
    const make = (state?: LossCurriculumState) =>
      lossCurriculum(shuffled(40, { seed: 1 }), {
        pacing: competence({ examples: 100, initial: 0.3 }),
        seed: 2,
        staleAfter: 25,
        state,
      });
    const sampler = make();
    let epoch = sampler.epoch(0);
    const step = (from: typeof sampler, cursor: typeof epoch, turn: number) => {
      const indices = cursor.take(3);
      from.observe(
        indices,
        [...indices].map((example) => ((example * 7 + turn * 5) % 13) / 3),
      );
      return [...indices];
    };
    for (let turn = 0; turn < 9; turn++) step(sampler, epoch, turn);
    const resumed = make(JSON.parse(JSON.stringify(sampler.state())) as LossCurriculumState);
    let resumedEpoch = resumed.epoch(0, 27);
    for (let turn = 9; turn < 40; turn++) {
      if (turn === 14) [epoch, resumedEpoch] = [sampler.epoch(1), resumed.epoch(1)];
      expect(step(resumed, resumedEpoch, turn)).toEqual(step(sampler, epoch, turn));
    }
    expect(resumed.state()).toEqual(sampler.state());
    expect(sampler.state().losses).toContain(null);
  });
});

describe('bad input of lossCurriculum', () => {
  const options = { pacing: constantly(0.5), seed: 1 };
  const state = { losses: [1, null], toldAt: [0, 0], told: 1 };
  it.each<[string, () => unknown]>([
    [
      'lossCurriculum got a sampler of 2 examples per epoch from a population of 6; wrap it the other way round, as in subset(indices, lossCurriculum(…)).',
      () => lossCurriculum(subset([0, 5], sequential(2)), options),
    ],
    [
      'lossCurriculum got a sampler that learns from losses itself; give it one that does not, or use curriculum.',
      () => lossCurriculum(lossCurriculum(sequential(2), options), options),
    ],
    [
      'lossCurriculum got a sampler with a state of its own, which would be lost; give it one without, or use curriculum.',
      () => lossCurriculum({ ...sequential(2), state: () => 'kept' }, options),
    ],
    [
      'atLeast is 0; give an integer from 1 to 2.',
      () => lossCurriculum(sequential(2), { ...options, atLeast: 0 }),
    ],
    [
      'staleAfter is 0; give a finite number above 0.',
      () => lossCurriculum(sequential(2), { ...options, staleAfter: 0 }),
    ],
    [
      'The state has 2 losses and 2 times for 3 examples; give the one of this sampler.',
      () => lossCurriculum(sequential(3), { ...options, state }),
    ],
    [
      'seed is 0.5; give an integer from 0 to 9007199254740991.',
      () => lossCurriculum(sequential(2), { ...options, seed: 0.5 }),
    ],
    [
      'observe got 1 indices and 2 losses; give one loss per index.',
      () => lossCurriculum(sequential(2), options).observe([0], [1, 2]),
    ],
    [
      'indices[0] is 2; give an integer from 0 to 1.',
      () => lossCurriculum(sequential(2), options).observe([2], [1]),
    ],
  ])('is refused: %s', (message, make) => {
    expect(make).toThrow(new RangeError(message));
  });
});
