import { describe, expect, it } from 'vitest';
import { Canvas, SIDE } from '../../src/digits/canvas.ts';

const at = (canvas: Canvas, x: number, y: number) => canvas.ink[y * SIDE + x];
const inked = (canvas: Canvas) => canvas.ink.filter((ink) => ink > 0).length;

describe('Canvas', () => {
  it('covers pixels by the distance of their middle from the line', () => {
    const canvas = new Canvas();
    // along the middles of row 10, from pixel 5 to pixel 15
    const places = [
      { x: 5.5, y: 10.5 },
      { x: 15.5, y: 10.5 },
    ];
    canvas.draw(places, { radius: 1.25, intensity: 0.5 });
    // distance 0 and 1: 1.75 - distance, at most 1, at least 0
    expect(at(canvas, 10, 10)).toBe(0.5);
    expect(at(canvas, 10, 9)).toBe(0.75 * 0.5);
    expect(at(canvas, 10, 11)).toBe(0.75 * 0.5);
    expect(at(canvas, 10, 12)).toBe(0);
    // round ends: one to the side, and one diagonally away
    expect(at(canvas, 4, 10)).toBe(0.75 * 0.5);
    expect(at(canvas, 4, 9)).toBeCloseTo((1.75 - Math.SQRT2) * 0.5, 6);
    expect(at(canvas, 3, 10)).toBe(0);
  });

  it('draws the same down as across, slanted as straight', () => {
    const canvas = new Canvas();
    const diagonal = [
      { x: 8.5, y: 8.5 },
      { x: 12.5, y: 12.5 },
    ];
    canvas.draw(diagonal, { radius: 0.5, intensity: 1 });
    expect(at(canvas, 10, 10)).toBe(1);
    expect(at(canvas, 10, 9)).toBeCloseTo(1 - Math.SQRT1_2, 6);
    expect(at(canvas, 9, 10)).toBeCloseTo(1 - Math.SQRT1_2, 6);
  });

  it('lets the darker line win where two cross', () => {
    const canvas = new Canvas();
    const across = [
      { x: 5.5, y: 10.5 },
      { x: 15.5, y: 10.5 },
    ];
    const down = [
      { x: 10.5, y: 5.5 },
      { x: 10.5, y: 15.5 },
    ];
    canvas.draw(across, { radius: 0.5, intensity: 1 });
    canvas.draw(down, { radius: 0.5, intensity: 0.25 });
    expect([at(canvas, 10, 10), at(canvas, 10, 7), at(canvas, 7, 10)]).toEqual([1, 0.25, 1]);
  });

  it('survives lines that leave the image, and a dot', () => {
    const canvas = new Canvas();
    const far = [
      { x: -20, y: 0.5 },
      { x: 60, y: 0.5 },
    ];
    canvas.draw(far, { radius: 0.5, intensity: 1 });
    expect(inked(canvas)).toBe(SIDE);
    canvas.clear();
    const dot = { x: 3.5, y: 3.5 };
    canvas.draw([dot, dot], { radius: 0.5, intensity: 1 });
    expect([inked(canvas), at(canvas, 3, 3)]).toEqual([1, 1]);
  });

  it('erases a rectangle, also at the edge', () => {
    const canvas = new Canvas();
    canvas.ink.fill(1);
    canvas.erase({ left: 26, top: -1, width: 5, height: 3 });
    expect(inked(canvas)).toBe(SIDE * SIDE - 4);
    expect([at(canvas, 26, 0), at(canvas, 27, 1), at(canvas, 25, 0), at(canvas, 26, 2)]).toEqual([
      0, 0, 1, 1,
    ]);
  });

  it('writes bytes, rounded and never above 255', () => {
    const canvas = new Canvas();
    canvas.ink.set([0, 0.5, 1, 1.1, 0.001]);
    const bytes = new Uint8Array(SIDE * SIDE);
    canvas.writeTo(bytes);
    expect([...bytes.subarray(0, 6)]).toEqual([0, 128, 255, 255, 0, 0]);
  });
});
