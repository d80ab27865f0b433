import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { permutation } from '../src/permutation.ts';

describe('permutation', () => {
  it.each([1, 2, 4, 16])('makes all 24 orders of four items equally often in %d parts', (parts) => {
    const counts = new Map<string, number>();
    for (let stream = 0; stream < 24_000; stream++) {
      const order = permutation(4, { seed: 11, stream, parts }).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquare([...counts.values()])).toBeLessThan(chiSquareLimit(23));
  });

  it.each([65_536, 65_537, 200_001, 1_000_003])('holds each of %d items once', (size) => {
    const order = permutation(size, { seed: 1, stream: 2 }).sort();
    expect(order.every((item, place) => item === place)).toBe(true);
  });

  it('sends the items of a large order everywhere, whatever part they went through', () => {
    const size = 2 ** 20;
    const order = permutation(size, { seed: 7, stream: 0 });
    // From which sixteenth of the data to which sixteenth of the order: 15 · 15 degrees of freedom.
    const moves = new Int32Array(256);
    // How the neighbours of the order compare: up or down, equally often.
    let rises = 0;
    order.forEach((item, place) => {
      const cell = (item >> 16) * 16 + (place >> 16);
      moves[cell] = (moves[cell] ?? 0) + 1;
      if (place > 0 && item > (order[place - 1] ?? 0)) rises += 1;
    });
    expect(chiSquare([...moves])).toBeLessThan(chiSquareLimit(225));
    // Rises of a random permutation: mean (n − 1) / 2, variance (n + 1) / 12 (Eulerian numbers).
    expect(Math.abs(rises - (size - 1) / 2)).toBeLessThan(6 * Math.sqrt((size + 1) / 12));
  });

  it('is another one for each seed and stream, and the same one again for both', () => {
    const first = (seed: number, stream: number) => permutation(70_000, { seed, stream }).slice(0, 20);
    expect(first(1, 1)).toEqual(first(1, 1));
    expect(first(1, 1)).not.toEqual(first(1, 2));
    expect(first(1, 1)).not.toEqual(first(2, 1));
  });
});
