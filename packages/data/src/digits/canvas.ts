import type { Place } from './curve.ts';

/** Pixels along each side of a digit. */
export const SIDE = 28;

/** What a stroke looks like. */
export interface Pen {
  /** Half the width of the line in pixels. */
  readonly radius: number;
  /** Ink in the middle of the line, 0 to 1. */
  readonly intensity: number;
}

/** A part of the image in whole pixels. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A square of ink values from 0 (paper) to 1. */
export class Canvas {
  readonly ink = new Float32Array(SIDE * SIDE);

  clear(): void {
    this.ink.fill(0);
  }

  /** A line through all places; where lines cross the darker one wins, as ink does. */
  draw(places: readonly Place[], pen: Pen): void {
    let from = places[0];
    for (const to of places) {
      if (from !== undefined) this.#segment(from, to, pen);
      from = to;
    }
  }

  /** Takes the ink out of a rectangle, given in whole pixels. */
  erase({ left, top, width, height }: Rectangle): void {
    for (let y = Math.max(0, top); y < Math.min(SIDE, top + height); y++)
      this.ink.fill(0, y * SIDE + Math.max(0, left), y * SIDE + Math.min(SIDE, left + width));
  }

  /** Writes the image as bytes into `target`, paper 0 and full ink 255. */
  writeTo(target: Uint8Array): void {
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++)
      target[pixel] = Math.min(255, Math.round(255 * (this.ink[pixel] ?? 0)));
  }

  /**
   * One straight piece with round ends. Coverage of a pixel falls from 1 to 0 over one pixel of distance around the
   * edge of the line, which is the usual antialiasing of a distance field. Only pixels near the piece are visited.
   */
  #segment(from: Place, to: Place, { radius, intensity }: Pen): void {
    const reach = radius + 0.5;
    const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
    const right = Math.min(SIDE - 1, Math.floor(Math.max(from.x, to.x) + reach));
    const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach));
    const bottom = Math.min(SIDE - 1, Math.floor(Math.max(from.y, to.y) + reach));
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const squaredLength = dx * dx + dy * dy;
    for (let y = top; y <= bottom; y++) {
      const py = y + 0.5 - from.y;
      for (let x = left; x <= right; x++) {
        const px = x + 0.5 - from.x;
        const along = squaredLength === 0 ? 0 : (px * dx + py * dy) / squaredLength;
        const t = along < 0 ? 0 : along > 1 ? 1 : along;
        const [ox, oy] = [px - t * dx, py - t * dy];
        const squaredDistance = ox * ox + oy * oy;
        if (squaredDistance >= reach * reach) continue;
        const coverage = Math.min(1, reach - Math.sqrt(squaredDistance)) * intensity;
        const pixel = y * SIDE + x;
        if (coverage > (this.ink[pixel] ?? 0)) this.ink[pixel] = coverage;
      }
    }
  }
}
