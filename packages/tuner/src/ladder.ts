import { checkCount } from './check.ts';

/** Bounds of a ladder, in examples. */
export interface LadderOptions {
  /** Smallest size allowed. */
  readonly min: number;
  /** Largest size allowed. */
  readonly max: number;
  /** Each rung is this times a power of two. Default 1. */
  readonly multipleOf?: number | undefined;
}

/**
 * The few batch sizes worth running: `multipleOf` times powers of two from `min` to `max`, ascending. Each size that a
 * run visits is compiled and gets buffers of its own, and the optimum is flat (a factor √2 costs 3 % at most), so a
 * finer choice does not pay. Where no such size lies between, the one rung is `max`.
 * @throws RangeError where a bound is not a whole number of at least 1, or `max` is below `min`
 */
export function ladder({ min, max, multipleOf = 1 }: LadderOptions): readonly number[] {
  checkCount(min, 'min');
  checkCount(multipleOf, 'multipleOf');
  checkCount(max, 'max', min);
  const rungs: number[] = [];
  for (let rung = multipleOf; rung <= max; rung *= 2) if (rung >= min) rungs.push(rung);
  return rungs.length > 0 ? rungs : [max];
}

/**
 * The rung nearest to a size in log distance; of two equally near, the smaller.
 * @param rungs ascending, at least one
 * @throws RangeError where there is no rung
 */
export function nearestRung(rungs: readonly number[], batchSize: number): number {
  const [first, ...rest] = rungs;
  if (first === undefined) throw new RangeError('The ladder has no rung; give at least one batch size.');
  const distance = (rung: number): number => Math.abs(Math.log(rung / batchSize));
  return rest.reduce((nearest, rung) => (distance(rung) < distance(nearest) ? rung : nearest), first);
}
