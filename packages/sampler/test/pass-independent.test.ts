import { describe, expect, it } from 'vitest';
import {
  concatenated,
  gathered,
  mixed,
  sequential,
  shard,
  shuffled,
  subset,
  type IndexSampler,
} from '../src/index.ts';
import { adaptive, orderOf } from './support.ts';

/** In the order of its indices, with a shuffle to measure by. */
const ordered = (size: number, seed = 1): IndexSampler => ({
  ...sequential(size),
  independent: shuffled(size, { seed }),
});
const shuffledOrder = (size: number, seed = 1) => orderOf(shuffled(size, { seed }), 2);
const independentOrder = ({ independent }: IndexSampler) => independent && orderOf(independent, 2);

describe('independent draws of a sampler that is wrapped', () => {
  it('are those of the indices of a subset', () => {
    const part = subset([50, 7, 9], ordered(3));
    expect(independentOrder(part)).toEqual(shuffledOrder(3).map((position) => [50, 7, 9][position]));
    expect(orderOf(part, 2)).toEqual([50, 7, 9]);
  });

  it('are divided among the workers', () => {
    const parts = [0, 1].map((rank) => shard(ordered(7), { rank, world: 2 }));
    const whole = shuffledOrder(7);
    expect(parts.map(independentOrder)).toEqual([
      whole.filter((_, k) => k % 2 === 0),
      whole.filter((_, k) => k % 2 === 1),
    ]);
  });

  it('are joined with the orders of data sets that need none', () => {
    const joined = concatenated([sequential(2), ordered(4)]);
    expect(independentOrder(joined)).toEqual([0, 1, ...shuffledOrder(4).map((index) => index + 2)]);
    const parts = [
      { sampler: sequential(4), proportion: 1 },
      { sampler: ordered(4), proportion: 1 },
    ];
    const mixture = mixed(parts, { seed: 3 });
    const independent = independentOrder(mixture) ?? [];
    expect(independent.filter((index) => index < 4)).toEqual([0, 1, 2, 3]);
    expect(independent.filter((index) => index >= 4)).toEqual(shuffledOrder(4).map((index) => index + 4));
    // The same data set at the same place.
    expect(independent.map((index) => index < 4)).toEqual(orderOf(mixture, 2).map((index) => index < 4));
  });

  it('are gathered like the others', () => {
    const source = gathered(ordered(4), (indices) => [...indices].join());
    expect(source.independent?.epoch(2).take(4)).toBe(shuffledOrder(4).join());
    expect(source.epoch(2).take(4)).toBe('0,1,2,3');
  });

  it('are there only where a sampler has them', () => {
    const plain = sequential(4);
    for (const sampler of [
      subset([1, 2, 3, 4], plain),
      shard(plain, { rank: 0, world: 2 }),
      concatenated([plain, adaptive(3).sampler]),
      mixed([{ sampler: plain, proportion: 1 }], { seed: 1 }),
      gathered(plain, (indices) => indices),
    ])
      expect('independent' in sampler).toBe(false);
  });
});
