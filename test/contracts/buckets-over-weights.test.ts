import { concatenated, mixed, sequential } from '@batchwise/sampler';
import { bucketed } from '@batchwise/sampler-bucket';
import { adjustable, weighted, type AdjustableState } from '@batchwise/sampler-weighted';
import { describe, expect, it } from 'vitest';

describe('buckets over weights that change', () => {
  const equal = Array.from({ length: 16 }, () => 1);
  const lengths = Array.from({ length: 16 }, (_, k) => 1 + (k % 5));
  const over = (order: ReturnType<typeof adjustable>) =>
    bucketed(lengths, { seed: 1, group: { examples: 4 }, poolSize: 16, order });

  it('follow them from the next example on, as a resumed run does', () => {
    const order = adjustable(equal, { seed: 1 });
    const cursor = over(order).epoch(0);
    cursor.take(8);
    order.setWeight(0, 1000);
    const rest = [...cursor.take(8)];
    const state = JSON.parse(JSON.stringify(over(order).state?.())) as AdjustableState;
    expect(rest).toEqual([
      ...over(adjustable(equal, { seed: 1, state }))
        .epoch(0, 8)
        .take(8),
    ]);
    expect(rest.filter((index) => index === 0).length).toBeGreaterThan(6);
  });
});

describe('draws by weight among others', () => {
  it('leave the others their whole weight', () => {
    const byWeight = weighted([1, 2, 3], { seed: 1, beta: 1 });
    const parts = [
      { sampler: concatenated([sequential(4), byWeight]), proportion: 1 },
      { sampler: sequential(7), proportion: 1 },
    ];
    const cursor = mixed(parts, { seed: 1, size: 20 }).epoch(0);
    const indices = [...cursor.take(20)];
    // 1/(N p) of examples 4, 5 and 6 by weights of 1, 2 and 3.
    const byExample: Readonly<Record<number, number>> = { 4: 2, 6: 2 / 3 };
    const expected = indices.map((index) => Math.fround(byExample[index] ?? 1));
    expect([...(cursor.weights ?? [])]).toEqual(expected);
    expect(new Set(expected).size).toBe(3);
  });
});
