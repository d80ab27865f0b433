import { describe, expect, it } from 'vitest';
import { smoothCurve, type Knot } from '../../src/digits/curve.ts';

const knot = (x: number, y: number, corner = false): Knot => ({ x, y, corner });
const closeTo = (x: number, y: number) => ({ x: expect.closeTo(x, 10), y: expect.closeTo(y, 10) });

describe('smoothCurve', () => {
  it('cuts a straight stroke into pieces of at most 1.5 pixels', () => {
    const places = smoothCurve([knot(0, 0), knot(4, 0), knot(8, 0)], false);
    expect(places.length).toBe(1 + 3 + 3);
    expect(places.every(({ y }) => y === 0)).toBe(true);
    expect(places.at(-1)).toEqual(closeTo(8, 0));
  });

  it('passes through its knots, and between them as a Catmull-Rom spline does', () => {
    const knots = [knot(0, 0), knot(0, 2), knot(2, 2), knot(2, 0)];
    const places = smoothCurve(knots, false);
    // two pieces per stretch: halfway it is (-p0 + 9 p1 + 9 p2 - p3) / 16
    expect(places.map((place) => ({ x: place.x, y: place.y }))).toEqual([
      closeTo(0, 0),
      closeTo((0 + 0 + 9 * 0 - 2) / 16, (0 + 9 * 2 - 2) / 16),
      closeTo(0, 2),
      closeTo((9 * 0 + 9 * 2 - 2) / 16, (9 * 2 + 9 * 2) / 16),
      closeTo(2, 2),
      closeTo((0 + 9 * 2 + 9 * 2 - 2) / 16, (-2 + 9 * 2) / 16),
      closeTo(2, 0),
    ]);
  });

  it('weighs its knots rightly away from the middle too', () => {
    // one stretch of three pieces; at t = 1/3 the weights are -2/27, 21/27, 9/27 and -1/27
    const places = smoothCurve([knot(0, 9), knot(0, 0), knot(4, 0), knot(0, -9)], false);
    const first = places.findIndex(({ x, y }) => x === 0 && y === 0);
    const at = places[first + 1];
    expect(at?.x).toBeCloseTo((9 / 27) * 4, 10);
    expect(at?.y).toBeCloseTo((-2 / 27) * 9 + (-1 / 27) * -9, 10);
  });

  it('does not round a corner off', () => {
    const bent = [knot(0, 0), knot(0, 4, true), knot(4, 4)];
    for (const { x, y } of smoothCurve(bent, false)) {
      const offTheAngle = Math.min(Math.abs(x), Math.abs(y - 4));
      expect(offTheAngle).toBeCloseTo(0, 10);
    }
    const round = smoothCurve(
      bent.map(({ x, y }) => knot(x, y)),
      false,
    );
    expect(round.some(({ x, y }) => Math.min(Math.abs(x), Math.abs(y - 4)) > 0.1)).toBe(true);
  });

  it('closes a stroke with the same smoothness everywhere', () => {
    const places = smoothCurve([knot(0, 0), knot(2, 0), knot(2, 2), knot(0, 2)], true);
    expect(places.at(-1)).toEqual(closeTo(0, 0));
    const middles = [1, 3, 5, 7].map((at) => places[at]);
    // each side bulges outwards by (9 + 9 - 1 - 1)/16 and 2/16 of its length
    expect(middles).toEqual([closeTo(1, -0.25), closeTo(2.25, 1), closeTo(1, 2.25), closeTo(-0.25, 1)]);
  });
});
