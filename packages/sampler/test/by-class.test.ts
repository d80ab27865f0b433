import { chiSquare, chiSquareLimit } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { classBalanced, stratified } from '../src/index.ts';
import { orderOf, range, readAll } from './support.ts';

/** 60, 30 and 10 examples of the classes 7, 2 and 4, in no order. */
const labels = range(100)
  .map((k) => (k * 37) % 100)
  .map((k) => (k < 60 ? 7 : k < 90 ? 2 : 4));
const countOf = (indices: readonly number[], label: number) =>
  indices.filter((index) => labels[index] === label).length;

describe('stratified', () => {
  it('visits each example once, and has the classes in proportion in each batch from any place on', () => {
    const order = orderOf(stratified(labels, { seed: 1 }), 3);
    expect([...order].sort((a, b) => a - b)).toEqual(range(100));
    for (let from = 0; from < 100; from++)
      for (let to = from + 1; to <= 100; to++)
        for (const [label, share] of [
          [7, 0.6],
          [2, 0.3],
          [4, 0.1],
        ] as const) {
          const surplus = countOf(order.slice(from, to), label) - share * (to - from);
          if (Math.abs(surplus) >= (from === 0 ? 1 : 2)) expect.fail(`${surplus} in ${from} to ${to}`);
        }
    // Batches that the shares divide are exact from the start of an epoch.
    expect(countOf(order.slice(0, 10), 4)).toBe(1);
  });

  it('puts each example of a class in each of its places equally often', () => {
    const few = [0, 0, 0, 0, 1, 1, 1, 1];
    const table = Array.from({ length: 64 }, () => 0);
    for (let epoch = 0; epoch < 4000; epoch++)
      orderOf(stratified(few, { seed: 5 }), epoch).forEach((index, place) => {
        table[place * 8 + index] = (table[place * 8 + index] ?? 0) + 1;
      });
    // Each pair of places holds one of each class: 7 · 7 degrees of freedom at most.
    expect(chiSquare(table)).toBeLessThan(chiSquareLimit(49));
  });

  it('draws each from its whole class with replacement', () => {
    const sampler = stratified(labels, { seed: 1, replacement: true, size: 100_000 });
    const order = orderOf(sampler, 0);
    expect([7, 2, 4].map((label) => countOf(order, label))).toEqual([60_000, 30_000, 10_000]);
    const counts = range(100).map(() => 0);
    for (const index of order) counts[index] = (counts[index] ?? 0) + 1;
    expect(chiSquare(counts)).toBeLessThan(chiSquareLimit(97));
    expect(new Set(orderOf(stratified(labels, { seed: 1, replacement: true }), 0)).size).toBeLessThan(90);
  });

  it('keeps the classes apart: their examples are drawn by unrelated numbers', () => {
    const halves = range(200).map((k) => k % 2);
    const order = orderOf(stratified(halves, { seed: 3 }), 0);
    const [even, odd] = [0, 1].map((label) => order.filter((index) => index % 2 === label));
    expect(odd?.map((index) => index - 1)).not.toEqual(even);
  });
});

describe('classBalanced', () => {
  it('has each class equally often, at each place within one', () => {
    const order = orderOf(classBalanced(labels, { seed: 2, size: 300 }), 0);
    for (let to = 1; to <= 300; to++)
      for (const label of [2, 4, 7])
        expect(Math.abs(countOf(order.slice(0, to), label) - to / 3)).toBeLessThan(1);
    // The ten rare examples come in ten rounds, each round whole.
    const rare = order.filter((index) => labels[index] === 4);
    for (let round = 0; round < 10; round++)
      expect(new Set(rare.slice(10 * round, 10 * round + 10)).size).toBe(10);
  });

  it('goes through a large class over several epochs before anything repeats', () => {
    const sampler = classBalanced(labels, { seed: 2, size: 30 });
    const frequent = range(6).flatMap((epoch) =>
      orderOf(sampler, epoch).filter((index) => labels[index] === 7),
    );
    expect(frequent).toHaveLength(60);
    expect(new Set(frequent).size).toBe(60);
    expect(new Set(orderOf(sampler, 0)).size).toBe(30);
  });

  it('goes on in the middle of an epoch, with and without replacement', () => {
    for (const replacement of [false, true]) {
      const sampler = classBalanced(labels, { seed: 2, replacement });
      const whole = orderOf(sampler, 2);
      for (const startAt of [1, 33, 99])
        expect(readAll(sampler.epoch(2, startAt), [7])).toEqual(whole.slice(startAt));
    }
  });

  it.each([
    ['stratified', stratified],
    ['classBalanced', classBalanced],
  ])('refuses empty classes and too many labels, as %s', (_name, make) => {
    const empty = (label: number) =>
      new RangeError(`Class ${label} of 3 has no examples; leave it out or number the classes anew.`);
    expect(() => make([0, 2, 0], { seed: 1, classes: 3 })).toThrow(empty(1));
    expect(() => make([1, 1, 0], { seed: 1, classes: 3 })).toThrow(empty(2));
    // With no class to be missed, those that are there are taken.
    expect(orderOf(make([0, 2, 0, 2], { seed: 1 }), 0)).toHaveLength(4);
    // Refused before any is read: there are none.
    expect(() => make({ length: 2 ** 31 }, { seed: 1 })).toThrow(
      new RangeError('The number of labels is 2147483648; give an integer from 1 to 2147483647.'),
    );
    expect(() => make([0, 1], { seed: 1, size: 2 ** 31 })).toThrow(
      new RangeError('size is 2147483648; give an integer from 1 to 2147483647.'),
    );
    expect(() => make([0, 2 ** 31], { seed: 1 })).toThrow(
      new RangeError('labels[1] is 2147483648; give an integer from 0 to 2147483647.'),
    );
    expect(() => make([0, 1], { seed: 1, classes: 2 ** 31 })).toThrow(
      new RangeError('classes is 2147483648; give an integer from 1 to 2147483647.'),
    );
  });

  it('refuses labels that are none', () => {
    expect(() => classBalanced([0, 3], { seed: 1, classes: 3 })).toThrow(
      new RangeError('labels[1] is 3; give an integer from 0 to 2.'),
    );
    expect(() => classBalanced([0, -1], { seed: 1 })).toThrow(
      new RangeError('labels[1] is -1; give an integer from 0 to 2147483647.'),
    );
    expect(() => classBalanced([0, NaN], { seed: 1 })).toThrow(
      new RangeError('labels[1] is NaN; give an integer from 0 to 2147483647.'),
    );
    expect(() => stratified([], { seed: 1 })).toThrow(
      new RangeError('The number of labels is 0; give an integer from 1 to 2147483647.'),
    );
    expect(() => stratified([0, 1], { seed: 1.5 })).toThrow(
      new RangeError('seed is 1.5; give an integer from 0 to 9007199254740991.'),
    );
    expect(() => classBalanced([0, 1, 2], { seed: 1, size: 2 })).toThrow(
      new RangeError(
        'proportions[2] is 1, less than one example in an epoch of 2; give a larger size or proportion.',
      ),
    );
  });
});
