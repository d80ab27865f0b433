import { describe, expect, it } from 'vitest';
import { SKELETONS } from '../../src/digits/skeletons.ts';

describe('SKELETONS', () => {
  it('has several ways of writing each of the ten digits', () => {
    expect(SKELETONS.length).toBe(10);
    for (const ways of SKELETONS) expect(ways.length).toBeGreaterThanOrEqual(2);
  });

  it('keeps every point in its box, and gives every stroke a direction', () => {
    const strokes = SKELETONS.flat(2);
    for (const { points } of strokes) {
      expect(points.length).toBeGreaterThanOrEqual(3);
      for (const { x, y } of points)
        expect([x >= 0.1 && x <= 0.9, y >= 0.02 && y <= 0.98]).toEqual([true, true]);
    }
  });

  it('reads corners, closed strokes and lifted pens', () => {
    const [ring] = SKELETONS[0]?.[0] ?? [];
    expect([ring?.closed, ring?.points.length, ring?.points[0]]).toEqual([
      true,
      8,
      { x: 0.5, y: 0.03, corner: false },
    ]);
    const flag = SKELETONS[1]?.[1] ?? [];
    expect(flag.map(({ closed, points }) => [closed, points.map(({ corner }) => corner)])).toEqual([
      [false, [false, true, false, false]],
    ]);
    expect(SKELETONS[4]?.[0]?.length).toBe(2);
  });
});
