import type { SeededRandom } from '@batchwise/sampler';
import { SIDE } from './canvas.ts';
import type { Knot } from './curve.ts';
import { between, nearlyNormal } from './random-draws.ts';
import type { SkeletonPoint } from './skeletons.ts';

/** Height in pixels of a digit of scale 1; 20 of 28 as in MNIST. */
const HEIGHT = 20;
/** Standard deviation of each control point, as a part of the box. */
const JITTER = 0.035;

/** Puts a point of a skeleton somewhere in the image. */
export type Deformation = (point: SkeletonPoint) => Knot;

/**
 * One hand writing one digit: bend, slant, aspect, turn, scale and shift for the whole digit, then a jitter of its own
 * for each point. The turn is given by t = tan(θ/2), with cos θ = (1 - t²)/(1 + t²) and sin θ = 2t/(1 + t²), which
 * keeps to operations that are exact in every engine.
 */
export function randomDeformation(random: SeededRandom): Deformation {
  const t = 0.06 * nearlyNormal(random);
  const [cos, sin] = [(1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t)];
  const slant = 0.18 * nearlyNormal(random);
  const [bendX, bendY] = [0.04 * nearlyNormal(random), 0.04 * nearlyNormal(random)];
  const height = HEIGHT * between(random, 0.78, 1.06);
  const width = height * between(random, 0.7, 1.1);
  const [shiftX, shiftY] = [between(random, -2, 2), between(random, -2, 2)];

  return ({ x, y, corner }) => {
    const [u, v] = [x - 0.5, y - 0.5];
    const across = (u - slant * v + bendX * (4 * v * v - 0.5) + JITTER * nearlyNormal(random)) * width;
    const down = (v + bendY * (4 * u * u - 0.5) + JITTER * nearlyNormal(random)) * height;
    return {
      x: SIDE / 2 + shiftX + cos * across - sin * down,
      y: SIDE / 2 + shiftY + sin * across + cos * down,
      corner,
    };
  };
}
