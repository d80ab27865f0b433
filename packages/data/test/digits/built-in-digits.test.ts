import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { builtInDigits } from '../../src/digits/built-in-digits.ts';
import { readIdx, writeIdx } from '../../src/idx.ts';

const sumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('builtInDigits', () => {
  it('draws the same bytes from the same seed on every machine', () => {
    const { train, test } = builtInDigits({ seed: 1, trainCount: 200, testCount: 100 });
    expect(sumOf(train.images)).toBe('ff79fd90b836c0622588ef4dc3fd00911d5e6f2e06dab719c91ad99114d80cde');
    expect(sumOf(test.images)).toBe('cd7176a07bee74baa754eef1e17a47a79b8394a80fc69cda3f4aa3a9de8f76aa');
  });

  it('draws other bytes from another seed, and for the test', () => {
    const one = builtInDigits({ seed: 1, trainCount: 50, testCount: 50 });
    const two = builtInDigits({ seed: 2, trainCount: 50, testCount: 50 });
    const sums = [one.train, one.test, two.train, two.test].map(({ images }) => sumOf(images));
    expect(new Set(sums).size).toBe(4);
  });

  it('draws an image in the same way however many there are', () => {
    const few = builtInDigits({ trainCount: 10, testCount: 10 });
    const more = builtInDigits({ trainCount: 30, testCount: 10 });
    expect(sumOf(more.train.images.subarray(0, few.train.images.length))).toBe(sumOf(few.train.images));
  });

  it('is a balanced data set in the form of MNIST', () => {
    const { train, test, imageShape, classes, name, source } = builtInDigits({
      trainCount: 500,
      testCount: 200,
    });
    expect({ imageShape, classes, name, source }).toEqual({
      imageShape: [28, 28, 1],
      classes: 10,
      name: 'digits',
      source: 'built-in',
    });
    for (const { images, labels, count } of [train, test]) {
      expect(images.length).toBe(count * 784);
      const perClass = Array.from(
        { length: 10 },
        (_, digit) => labels.filter((label) => label === digit).length,
      );
      expect(perClass).toEqual(Array.from({ length: 10 }, () => count / 10));
    }
  });

  it('leaves ink in every image, in bounds like those of MNIST', () => {
    const { train } = builtInDigits({ trainCount: 500, testCount: 1 });
    for (let image = 0; image < train.count; image++) {
      const pixels = train.images.subarray(784 * image, 784 * (image + 1));
      const inked = pixels.filter((pixel) => pixel > 0).length;
      expect(inked).toBeGreaterThan(15);
      expect(inked).toBeLessThan(400);
    }
    // MNIST has 0.1307
    const mean = train.images.reduce((sum, pixel) => sum + pixel, 0) / train.images.length / 255;
    expect(mean).toBeGreaterThan(0.08);
    expect(mean).toBeLessThan(0.18);
  });

  it('survives IDX', () => {
    const { train } = builtInDigits({ trainCount: 20, testCount: 1 });
    const { shape, data } = readIdx(writeIdx({ shape: [20, 28, 28], data: train.images }));
    expect(shape).toEqual([20, 28, 28]);
    expect(sumOf(data)).toBe(sumOf(train.images));
  });

  it('refuses counts and seeds that are none', () => {
    expect(() => builtInDigits({ trainCount: 0 })).toThrow('The number of digits to draw is 0');
    expect(() => builtInDigits({ trainCount: 1, testCount: 1.5 })).toThrow(RangeError);
    expect(() => builtInDigits({ seed: 0.5, trainCount: 1, testCount: 1 })).toThrow('seed is 0.5');
  });
});
