import { describe, expect, it } from 'vitest';
import { aliasDraws } from '../src/alias-draws.ts';
import { countsOf, range, shares, sum } from './support.ts';

const relative = (weights: readonly number[]) =>
  Float64Array.from(shares(weights), (share) => share * weights.length);

describe('aliasDraws', () => {
  it.each([
    ['one', [3]],
    ['two', [1, 3]],
    ['equal', [2, 2, 2, 2, 2]],
    ['powers', [1, 2, 4, 8, 16, 32, 64]],
    ['many', range(300).map((k) => 0.01 + ((k * 7919) % 1009))],
  ])('gives each of %s its share of evenly spaced numbers', (_name, weights) => {
    const steps = 4096 * weights.length;
    const indices = new Int32Array(steps);
    aliasDraws(relative(weights))(
      Float64Array.from(indices, (_, k) => (k + 0.5) / steps),
      indices,
    );
    const share = shares(weights);
    const counts = countsOf(indices, weights.length);
    // Each column has two stretches, and each stretch takes one step too many or too few at most.
    const wrong = sum(counts.map((count, index) => Math.abs(count - (share[index] ?? 0) * steps)));
    expect(wrong).toBeLessThanOrEqual(2 * weights.length);
  });

  it.each([2, 2 ** 10, 2 ** 20])('divides a column of %d at its border to 2⁻³¹ of its height', (columns) => {
    // All columns are full but the first, which the last one fills up.
    const height = 0.3 + 2 ** -20;
    const heights = new Float64Array(columns).fill(1);
    heights[0] = height;
    heights[columns - 1] = 2 - height;
    const border = Math.round(height * 2 ** 31);
    const places = [0, border - 2 ** 20, border - 1, border, border + 1, border + 2 ** 20, 2 ** 31 - 1];
    const indices = new Int32Array(places.length);
    aliasDraws(heights)(
      Float64Array.from(places, (place) => place / 2 ** 31 / columns),
      indices,
    );
    const last = columns - 1;
    expect([...indices]).toEqual([0, 0, 0, last, last, last, last]);
  });

  it('draws the same whether few or many are drawn at once', () => {
    const uniforms = Float64Array.from({ length: 40 }, (_, k) => ((k * 7919) % 1009) / 1009);
    const draw = aliasDraws(relative([5, 1, 1, 3]));
    const [all, some] = [new Int32Array(40), new Int32Array(40)];
    for (let k = 0; k < 40; k += 8) draw(uniforms.subarray(k, k + 8), some.subarray(k, k + 8));
    draw(uniforms, all);
    expect(some).toEqual(all);
  });
});
