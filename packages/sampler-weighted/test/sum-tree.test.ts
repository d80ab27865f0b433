import { seededRandom } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { SumTree } from '../src/index.ts';
import { range, sum } from './support.ts';

/** By adding up, which is exact for these weights: small multiples of 1/8. */
function findByAdding(weights: readonly number[], mass: number): number {
  let end = 0;
  return weights.findIndex((weight) => (end += weight) > mass);
}

describe('SumTree', () => {
  it.each([1, 2, 3, 7, 8, 9, 63, 64, 65, 513])(
    'finds what adding up finds, among %d weights that change',
    (size) => {
      const random = seededRandom(size);
      const weights = range(size).map(() => random.below(16) / 8);
      weights[0] = 0.5;
      const tree = new SumTree(weights);
      for (let turn = 0; turn < 300; turn++) {
        const mass = (random.below(8 * sum(weights)) + 0.5) / 8;
        expect(tree.find(mass)).toBe(findByAdding(weights, mass));
        const index = random.below(size);
        weights[index] = index === 0 ? 0.5 : random.below(16) / 8;
        tree.set(index, weights[index] ?? 0);
        expect(tree.weightOf(index)).toBe(weights[index]);
        expect(tree.total).toBe(sum(weights));
      }
    },
  );

  it('has the sums of a tree made anew after a million changes, to the bit', () => {
    const random = seededRandom(5);
    const tree = new SumTree(range(1000).map(() => random.uniform()));
    for (let turn = 0; turn < 1_000_000; turn++) tree.set(turn % 1000, random.uniform() * 10 ** (turn % 9));
    const anew = new SumTree(range(1000).map((index) => tree.weightOf(index)));
    expect(tree.total).toBe(anew.total);
    for (let turn = 0; turn < 1000; turn++) {
      const mass = random.uniform() * tree.total;
      expect(tree.find(mass)).toBe(anew.find(mass));
    }
  });

  it('never finds an index of weight 0, not even by rounding', () => {
    const tree = new SumTree([0, 0.1, 0, 0.2, 0.3, 0, 0, 0]);
    for (const mass of [0, 0.1, 0.3, 0.6, tree.total, 1e9]) expect([1, 3, 4]).toContain(tree.find(mass));
    expect(tree.find(0)).toBe(1);
    expect(tree.find(1e9)).toBe(4);
    const random = seededRandom(8);
    const weights = range(600).map((index) => (index % 3 === 0 && index < 301 ? random.uniform() : 0));
    const deep = new SumTree(weights);
    for (const index of range(300)) {
      const end = sum(weights.slice(0, index + 1));
      for (const mass of [end * (1 - 2 ** -52), end, end * (1 + 2 ** -52)])
        expect(weights[deep.find(mass)]).toBeGreaterThan(0);
    }
    expect(deep.find(2 * deep.total)).toBe(300);
  });

  it('refuses weights, indices and an empty tree by name', () => {
    expect(() => new SumTree([1, -2])).toThrow(
      new RangeError('weights[1] is -2; give a finite number of 0 or more.'),
    );
    expect(() => new SumTree([NaN])).toThrow(
      new RangeError('weights[0] is NaN; give a finite number of 0 or more.'),
    );
    expect(() => new SumTree([])).toThrow(
      new RangeError('The number of weights is 0; give an integer from 1 to 268435456.'),
    );
    const tree = new SumTree([0, 0]);
    expect(() => tree.set(2, 1)).toThrow(new RangeError('index is 2; give an integer from 0 to 1.'));
    expect(() => tree.set(0, Infinity)).toThrow(
      new RangeError('weight is Infinity; give a finite number of 0 or more.'),
    );
    expect(() => tree.weightOf(-1)).toThrow(new RangeError('index is -1; give an integer from 0 to 1.'));
    expect(() => tree.find(0)).toThrow(
      new RangeError('All weights are 0; give one of them a weight above 0.'),
    );
  });
});
