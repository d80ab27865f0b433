import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { shuffled } from '../src/index.ts';
import { orderOf, range, readAll } from './support.ts';

const feistel = (size: number, seed: number) => shuffled(size, { seed, order: 'feistel' });

describe('shuffled with the order feistel', () => {
  it.each([1, 2, 3, 5, 10, 17, 256, 999, 10_007])('visits each of %d examples exactly once', (size) => {
    for (const epoch of [0, 1, 7])
      expect(orderOf(feistel(size, 3), epoch).sort((a, b) => a - b)).toEqual(range(size));
  });

  it('can be read at any place of an epoch of 2³¹ − 1 examples', () => {
    const size = 2 ** 31 - 1;
    const cursor = feistel(size, 3).epoch(5, size - 3);
    const last = readAll(cursor, [2]);
    expect(last).toHaveLength(3);
    expect(last.every((index) => index >= 0 && index < size)).toBe(true);
    expect(
      feistel(size, 3)
        .epoch(5, size - 2)
        .take(1)[0],
    ).toBe(last[1]);
  });

  it.each([10, 12])('puts each of %d examples in each place equally often', (size) => {
    const table = Array.from({ length: size * size }, () => 0);
    for (let epoch = 0; epoch < 6000; epoch++)
      orderOf(feistel(size, 1), epoch).forEach((example, place) => {
        table[place * size + example] = (table[place * size + example] ?? 0) + 1;
      });
    expect(chiSquare(table)).toBeLessThan(chiSquareLimit((size - 1) ** 2));
  });

  it('draws the first two examples of 30 independently but for being different', () => {
    const size = 30;
    const table = Array.from({ length: size * size }, () => 0);
    for (let epoch = 0; epoch < 60_000; epoch++) {
      const [first = 0, second = 0] = feistel(size, 2).epoch(epoch).take(2);
      table[first * size + second] = (table[first * size + second] ?? 0) + 1;
    }
    const pairs = table.filter((_, cell) => Math.floor(cell / size) !== cell % size);
    expect(pairs.reduce((sum, count) => sum + count, 0)).toBe(60_000);
    expect(chiSquare(pairs)).toBeLessThan(chiSquareLimit(pairs.length - 1));
  });

  it('leaves no trace of neighbourhood in a large order', () => {
    const size = 200_000;
    const order = orderOf(feistel(size, 4), 0);
    // The step from one example to the next, modulo the size, in a hundred equal classes.
    const steps = Array.from({ length: 100 }, () => 0);
    order.forEach((example, place) => {
      const step = (example - (order[place - 1] ?? 0) + size) % size;
      const cell = Math.floor((100 * step) / size);
      steps[cell] = (steps[cell] ?? 0) + 1;
    });
    expect(chiSquare(steps)).toBeLessThan(chiSquareLimit(99));
  });
});
