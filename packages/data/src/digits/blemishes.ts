import type { SeededRandom } from '@batchwise/sampler';
import { SIDE, type Canvas } from './canvas.ts';
import { smoothCurve } from './curve.ts';
import { between } from './random-draws.ts';

/** A short stroke anywhere in the image that is no part of the digit. */
export function addStrayStroke(canvas: Canvas, random: SeededRandom): void {
  const [x, y] = [between(random, 2, SIDE - 2), between(random, 2, SIDE - 2)];
  const knots = [0, 1, 2].map((step) => ({
    x: x + step * between(random, -3.5, 3.5),
    y: y + step * between(random, -3.5, 3.5),
    corner: false,
  }));
  const pen = { radius: between(random, 0.5, 1.1), intensity: between(random, 0.4, 0.9) };
  canvas.draw(smoothCurve(knots, false), pen);
}

/** A rectangle of 3 to 6 pixels a side, somewhere over the digit, where the pen left no ink. */
export function erasePatch(canvas: Canvas, random: SeededRandom): void {
  const [left, top] = [4 + random.below(16), 4 + random.below(16)];
  canvas.erase({ left, top, width: 3 + random.below(4), height: 3 + random.below(4) });
}

/** The unevenness of ink: each inked pixel times a factor of its own from 0.88 to 1.12. */
export function addGrain(canvas: Canvas, random: SeededRandom): void {
  for (let pixel = 0; pixel < canvas.ink.length; pixel++) {
    const ink = canvas.ink[pixel] ?? 0;
    if (ink > 0) canvas.ink[pixel] = ink * between(random, 0.88, 1.12);
  }
}
