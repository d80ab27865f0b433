import { describe, expect, it } from 'vitest';
import { gathered, sequential, shuffled } from '../src/index.ts';
import { adaptive } from './support.ts';

/** The sockets of @batchwise/core, which this package fits without importing them. */
interface BatchSource<Batch> {
  readonly size: number | undefined;
  epoch(index: number, startAt?: number): BatchCursor<Batch>;
}
interface BatchCursor<Batch> {
  take(count: number): Batch | undefined | Promise<Batch | undefined>;
}

const letters = ['a', 'b', 'c', 'd', 'e'];
const pick = (indices: Int32Array): string => [...indices].map((index) => letters[index]).join('');

describe('gathered', () => {
  it('makes batches of any size from the indices, and ends with undefined', () => {
    const source: BatchSource<string> = gathered(sequential(5), pick);
    expect(source.size).toBe(5);
    const cursor = source.epoch(0);
    expect([cursor.take(2), cursor.take(1), cursor.take(9), cursor.take(9)]).toEqual([
      'ab',
      'c',
      'de',
      undefined,
    ]);
  });

  it('hands a promise on as it is', async () => {
    const source: BatchSource<string> = gathered(sequential(5), async (indices) => pick(indices));
    const cursor = source.epoch(0, 3);
    const batch = cursor.take(4);
    expect(batch).toBeInstanceOf(Promise);
    expect(await batch).toBe('de');
    expect(cursor.take(4)).toBeUndefined();
  });

  it('passes epoch and startAt on', () => {
    const sampler = shuffled(5, { seed: 42 });
    const order = pick(sampler.epoch(3).take(5));
    expect(gathered(sampler, pick).epoch(3).take(5)).toBe(order);
    expect(gathered(sampler, pick).epoch(3, 2).take(5)).toBe(order.slice(2));
    expect(() => gathered(sampler, pick).epoch(-1)).toThrow(
      new RangeError('epoch index is -1; give an integer from 0 to 9007199254740991.'),
    );
  });

  it('does not gather at the end of an epoch', () => {
    const gatheredSizes: number[] = [];
    const source = gathered(sequential(3), (indices) => gatheredSizes.push(indices.length));
    const cursor = source.epoch(0);
    cursor.take(3);
    cursor.take(3);
    expect(gatheredSizes).toEqual([3]);
  });

  it('hands importance weights to what gathers, and leaves them on the cursor', () => {
    const source = gathered(adaptive(5, (index) => index / 2).sampler, (indices, weights) => [
      indices,
      weights,
    ]);
    const cursor = source.epoch(0, 2);
    expect(cursor.take(2)).toEqual([Int32Array.of(2, 3), Float32Array.of(1, 1.5)]);
    expect(cursor.weights).toEqual(Float32Array.of(1, 1.5));
    expect(
      gathered(sequential(5), (_, weights) => weights)
        .epoch(0)
        .take(1),
    ).toBeUndefined();
  });

  it('tells the sampler the losses of the latest batch, whatever became of its indices', () => {
    const { sampler, told } = adaptive(5);
    const source = gathered(sampler, (indices) => indices.fill(-1));
    const cursor = source.epoch(0);
    cursor.take(2);
    cursor.take(3);
    cursor.observe?.([0.2, 0.3, 0.4]);
    expect(told).toEqual([
      [
        [2, 3, 4],
        [0.2, 0.3, 0.4],
      ],
    ]);
    expect(source.state?.()).toEqual({ told: 3 });
    const plain = gathered(sequential(5), pick);
    expect([plain.state, plain.epoch(0).observe]).toEqual([undefined, undefined]);
  });
});
