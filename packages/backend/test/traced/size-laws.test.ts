import { describe, expect, it } from 'vitest';
import { holdsAt, sizeLaws, tensorsAt, type SizedSample } from '../../src/traced/size-laws.ts';

const ints = (...values: number[]) => ({ dtype: 3, shape: [values.length], values: Int32Array.from(values) });
const floats = (...values: number[]) => ({ dtype: 1, shape: [], values: Float32Array.from(values) });

type Given = (examples: number) => SizedSample['tensors'];

const lawsOf = (given: Given, sizes: readonly [number, number, number] = [32, 16, 128]) => {
  const [a, b, c] = sizes.map((examples) => ({ examples, tensors: given(examples) }));
  if (!a || !b || !c) throw new Error('Three sizes.');
  return sizeLaws([a, b, c]);
};

describe('sizeLaws', () => {
  it.each<[string, Given]>([
    ['a shape', (n) => [ints(n, 28, 28, 16)]],
    ['a product of the examples', (n) => [ints(2 * n, 7), ints(n * 49 - 3)]],
    ['a share of the examples', (n) => [floats(1 / n)]],
    ['minus two shares', (n) => [floats(-2 / n)]],
    ['a share of outputs and examples', (n) => [floats(1 / (10 * n))]],
    ['a number that stays', (n) => [floats(0.1), floats(n)]],
  ])('foresee %s, to the bit', (_what, given) => {
    const laws = lawsOf(given);
    for (const n of [16, 17, 64, 100, 512, 4096]) expect(laws && tensorsAt(laws, n)).toEqual(given(n));
  });

  it.each<[string, Given]>([
    ['a square', (n) => [ints(n * n)]],
    ['a root', (n) => [floats(Math.sqrt(n))]],
    ['a line that bends', (n) => [ints(Math.min(n, 100))]],
    ['a share of what is bounded', (n) => [floats(1 / Math.min(n, 100))]],
    ['another shape', (n) => [{ dtype: 1, shape: [n], values: new Float32Array(n) }]],
    ['a table', () => [floats(...Array<number>(65).fill(1))]],
    ['one that is new', (n) => (n === 128 ? [ints(1), ints(1)] : [ints(1)])],
    ['one that is gone', (n) => (n === 128 ? [] : [ints(1)])],
  ])('know none of %s', (_what, given) => {
    expect(lawsOf(given)).toBeUndefined();
  });

  it('are contradicted by another value, another form, or a fraction where a whole number was seen', () => {
    const laws = lawsOf((n) => [ints(n / 2, 3), floats(1 / n)]);
    if (!laws) throw new Error('Laws.');
    const holds = (examples: number, ...tensors: SizedSample['tensors']) =>
      holdsAt(laws, { examples, tensors });
    expect(holds(64, ints(32, 3), floats(1 / 64))).toBe(true);
    expect(holds(64, ints(32, 4), floats(1 / 64))).toBe(false);
    expect(holds(64, ints(32, 3), floats(1 / 63))).toBe(false);
    expect(holds(64, ints(32, 3, 1), floats(1 / 64))).toBe(false);
    expect(holds(64, ints(32, 3))).toBe(false);
    expect(holds(33, ints(17, 3), floats(1 / 33))).toBe(false);
    // Below the fewest they say nothing.
    expect(holds(3, ints(9, 9), floats(9))).toBe(true);
  });

  it('want three sizes', () => {
    expect(lawsOf((n) => [ints(n)], [32, 16, 32])).toBeUndefined();
  });

  it('reach down to the fewest examples seen, and to whole numbers only', () => {
    const laws = lawsOf((n) => [ints(n / 2)]);
    expect(laws && tensorsAt(laws, 16)).toEqual([ints(8)]);
    expect(laws && tensorsAt(laws, 15)).toBeUndefined();
    expect(laws && tensorsAt(laws, 17)).toBeUndefined();
  });
});
