import type { SeededRandom } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { randomDeformation } from '../../src/digits/deformation.ts';

/** Gives one number for ever, after those that are listed. */
function fixedRandom(numbers: readonly number[], rest = 0.5): SeededRandom {
  const queue = [...numbers];
  const unused = () => {
    throw new Error('only uniform is used');
  };
  const uniform = () => queue.shift() ?? rest;
  return { uint32: unused, fill: unused, fillUniforms: unused, below: unused, uniform };
}

/** Four uniforms that make `nearlyNormal` give `value`. */
const normal = (value: number) => [0.5 + value / Math.sqrt(3), 0.5, 0.5, 0.5];
const ZERO = normal(0);
const point = (x: number, y: number) => ({ x, y, corner: false });

describe('randomDeformation', () => {
  it('puts the box in the middle of the image at the mean of all its draws', () => {
    const deform = randomDeformation(fixedRandom([]));
    expect(deform(point(0.5, 0.5))).toEqual({ x: 14, y: 14, corner: false });
    // the mean height is 20 · 0.92 pixels, the mean width 0.9 of it
    const corner = deform({ x: 1, y: 0, corner: true });
    expect(corner.x).toBeCloseTo(14 + 0.5 * 18.4 * 0.9, 10);
    expect(corner.y).toBeCloseTo(14 - 0.5 * 18.4, 10);
    expect(corner.corner).toBe(true);
  });

  it('turns clockwise by 2·atan(t) with t = 0.06 standard deviations', () => {
    const deform = randomDeformation(fixedRandom([...normal(1)]));
    const angle = 2 * Math.atan(0.06);
    const top = deform(point(0.5, 0));
    expect(top.x).toBeCloseTo(14 + Math.sin(angle) * 9.2, 8);
    expect(top.y).toBeCloseTo(14 - Math.cos(angle) * 9.2, 8);
  });

  it('slants the top to the right and bends the ends', () => {
    const slanted = randomDeformation(fixedRandom([...ZERO, ...normal(1)]))(point(0.5, 0));
    expect(slanted.x).toBeCloseTo(14 + 0.18 * 0.5 * 18.4 * 0.9, 8);
    const bent = randomDeformation(fixedRandom([...ZERO, ...ZERO, ...normal(1)]));
    expect(bent(point(0.5, 0)).x).toBeCloseTo(14 + 0.04 * 0.5 * 18.4 * 0.9, 8);
    expect(bent(point(0.5, 0.5)).x).toBeCloseTo(14 - 0.04 * 0.5 * 18.4 * 0.9, 8);
    const arched = randomDeformation(fixedRandom([...ZERO, ...ZERO, ...ZERO, ...normal(1)]));
    expect(arched(point(0, 0.5)).y).toBeCloseTo(14 + 0.04 * 0.5 * 18.4, 8);
  });

  it('scales, narrows and shifts within its ranges', () => {
    const whole = [...ZERO, ...ZERO, ...ZERO, ...ZERO];
    const small = randomDeformation(fixedRandom([...whole, 0, 0, 0, 0]))(point(1, 1));
    expect([small.x, small.y]).toEqual([
      expect.closeTo(12 + 0.5 * 20 * 0.78 * 0.7, 8),
      expect.closeTo(12 + 0.5 * 20 * 0.78, 8),
    ]);
  });

  it('jitters each point by itself', () => {
    const whole = [...ZERO, ...ZERO, ...ZERO, ...ZERO, 0.5, 0.5, 0.5, 0.5];
    const deform = randomDeformation(fixedRandom([...whole, ...normal(1), ...normal(-1)]));
    const moved = deform(point(0.5, 0.5));
    expect(moved.x).toBeCloseTo(14 + 0.035 * 18.4 * 0.9, 8);
    expect(moved.y).toBeCloseTo(14 - 0.035 * 18.4, 8);
    expect(deform(point(0.5, 0.5)).x).toBeCloseTo(14, 8);
  });
});
