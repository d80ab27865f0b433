/** A place in the image in pixels, (0, 0) being the outer corner of the first pixel. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A control point in the image. */
export interface Knot extends Place {
  readonly corner: boolean;
}

/** Longest straight piece of a curve in pixels: shorter ones cannot be told apart at 28x28. */
const PIECE = 1.5;

/**
 * The smooth curve through `knots` as a chain of places: a uniform Catmull-Rom spline, whose tangent at a knot is half
 * the way from its neighbour before to its neighbour after. At a corner the spline ends and a new one begins.
 */
export function smoothCurve(knots: readonly Knot[], closed: boolean): readonly Place[] {
  const places: Place[] = [];
  const pieces = closed ? knots.length : knots.length - 1;
  for (let i = 0; i < pieces; i++) {
    const from = knotAt(knots, i, closed);
    const to = knotAt(knots, i + 1, closed);
    if (i === 0) places.push(from);
    const before = from.corner ? from : knotAt(knots, i - 1, closed);
    const after = to.corner ? to : knotAt(knots, i + 2, closed);
    appendSpline(places, [before, from, to, after]);
  }
  return places;
}

/** Beyond the ends: round again on a closed stroke, else the end itself. */
function knotAt(knots: readonly Knot[], index: number, closed: boolean): Knot {
  const { length } = knots;
  const wrapped = closed ? (index + length) % length : Math.min(Math.max(index, 0), length - 1);
  const knot = knots[wrapped];
  if (knot === undefined) throw new RangeError('A stroke has no points; give it at least one.');
  return knot;
}

/** Catmull and Rom (1974) in its cubic form, tension 1/2: from the second to the third of four points. */
function appendSpline(places: Place[], [p0, p1, p2, p3]: readonly [Place, Place, Place, Place]): void {
  const [dx, dy] = [p2.x - p1.x, p2.y - p1.y];
  const steps = Math.max(1, Math.ceil(Math.sqrt(dx * dx + dy * dy) / PIECE));
  for (let step = 1; step <= steps; step++) {
    const t = step / steps;
    const w0 = t * (t * (2 - t) - 1);
    const w1 = t * t * (3 * t - 5) + 2;
    const w2 = t * (t * (4 - 3 * t) + 1);
    const w3 = t * t * (t - 1);
    places.push({
      x: (w0 * p0.x + w1 * p1.x + w2 * p2.x + w3 * p3.x) / 2,
      y: (w0 * p0.y + w1 * p1.y + w2 * p2.y + w3 * p3.y) / 2,
    });
  }
}
