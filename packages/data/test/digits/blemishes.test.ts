import { seededRandom } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { addGrain, addStrayStroke, erasePatch } from '../../src/digits/blemishes.ts';
import { Canvas } from '../../src/digits/canvas.ts';

/** A canvas full of `ink`, and how many of its pixels changed, over many draws of `blemish`. */
function changes(ink: number, blemish: (canvas: Canvas, random: ReturnType<typeof seededRandom>) => void) {
  const random = seededRandom(5);
  const canvas = new Canvas();
  return Array.from({ length: 300 }, () => {
    canvas.ink.fill(ink);
    blemish(canvas, random);
    return canvas.ink.filter((now) => now !== Math.fround(ink)).length;
  });
}

describe('blemishes', () => {
  it('erases 3x3 to 6x6 pixels, always inside the image', () => {
    const sizes = new Set(changes(1, erasePatch));
    expect([...sizes].sort((a, b) => a - b)).toEqual([9, 12, 15, 16, 18, 20, 24, 25, 30, 36]);
  });

  it('adds a short stroke', () => {
    const sizes = changes(0, addStrayStroke);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThan(80);
  });

  it('varies ink by at most 12 % and leaves paper alone', () => {
    const canvas = new Canvas();
    canvas.ink.fill(0.5, 0, 400);
    addGrain(canvas, seededRandom(5));
    const inked = canvas.ink.subarray(0, 400);
    expect(Math.min(...inked)).toBeGreaterThanOrEqual(0.44);
    expect(Math.min(...inked)).toBeLessThan(0.445);
    expect(Math.max(...inked)).toBeLessThanOrEqual(0.56);
    expect(Math.max(...inked)).toBeGreaterThan(0.555);
    expect(canvas.ink.subarray(400).every((ink) => ink === 0)).toBe(true);
  });
});
