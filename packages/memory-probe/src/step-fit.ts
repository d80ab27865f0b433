import { BENT, fitMemory, predictPeakBytes, type MeasuredPeak, type MemoryFit } from './memory-fit.ts';

/** One measured size, the gradients apart where they are told apart. */
export interface MeasuredStep extends MeasuredPeak {
  readonly gradientPeakBytes: number | null;
}

/** Two readings make a line only if this share of the larger one is growth; else there may be another floor below both. */
const GROWTH = 0.5;
/** Two of more readings stand for a line above a floor where the smaller is this share of the larger. */
const FAR = 0.6;
/** A line begins this far above what smaller steps took: a step that took no more than they did is on their floor. */
const ABOVE_FLOOR = 1.05;
/** A line stands out from readings that are off by a share only if they rise by so many times that. */
const RISE = 50;
/** A law must meet each step that it is said to be of to within so many times their noise. */
const HOLDS = 3;

/**
 * Fits whole steps. Where gradients are told apart, two readings are enough: they lie on a line, and the floor is what
 * updates take, seen wherever a step took clearly more than its gradients. Otherwise, or where that does not meet the readings,
 * the law of {@link fitMemory}.
 */
export function fitSteps(steps: readonly MeasuredStep[], relativeNoise: number): MemoryFit | undefined {
  const readings = gradientsOf(steps);
  const gradients = fitGradients(steps, relativeNoise);
  const isLine =
    gradients &&
    rises(largest(readings, gradients.linePoints), relativeNoise) &&
    (gradients.linePoints > 2 || isFar(largest(readings, 2), 1 - GROWTH));
  if (isLine) {
    const updates = steps.filter(
      ({ peakBytes, gradientPeakBytes }) => peakBytes > (1 + relativeNoise) * (gradientPeakBytes ?? 0),
    );
    const floorBytes = Math.max(0, ...updates.map(({ peakBytes }) => peakBytes));
    const fit = { ...gradients, floorBytes: Math.max(floorBytes, gradients.floorBytes) };
    const onLine = largest(steps, gradients.linePoints);
    const holds = onLine.every(
      ({ batchSize, peakBytes }) =>
        Math.abs(predictPeakBytes(fit, batchSize) / peakBytes - 1) <= HOLDS * relativeNoise,
    );
    if (holds) return fit;
  }
  const whole = fitMemory(steps, { relativeNoise });
  const isStraight = whole && meanError(whole, steps) <= Math.max(BENT, relativeNoise);
  return isStraight && rises(largest(steps, whole.linePoints), relativeNoise) ? whole : undefined;
}

const gradientsOf = (steps: readonly MeasuredStep[]): MeasuredPeak[] =>
  steps.flatMap(({ batchSize, gradientPeakBytes }) =>
    gradientPeakBytes === null ? [] : [{ batchSize, peakBytes: gradientPeakBytes }],
  );

function rises(onLine: readonly MeasuredPeak[], relativeNoise: number): boolean {
  const bytes = onLine.map(({ peakBytes }) => peakBytes);
  return Math.max(...bytes) >= (1 + RISE * relativeNoise) * Math.min(...bytes);
}

/**
 * The line of the gradients, through as many of the largest steps as lie on one: what weights, and kernels whatever the
 * size, take for themselves hides the growth of small batches here as well. A line that misses its readings by more than their noise
 * gives way to one through fewer, above a floor, that explains all of them better.
 */
export function fitGradients(steps: readonly MeasuredStep[], relativeNoise: number): MemoryFit | undefined {
  const readings = gradientsOf(steps);
  const counts = Array.from({ length: Math.max(0, readings.length - 1) }, (_, i) => readings.length - i);
  const fits = counts.flatMap((count) => lineThrough(readings, count, relativeNoise) ?? []);
  const known = Math.max(BENT, relativeNoise);
  const errors = fits.map((fit) => meanError(fit, readings));
  const [first = Infinity] = errors;
  const best = first <= known ? 0 : errors.indexOf(Math.min(...errors));
  return fits[best];
}

/** Through the `count` largest, with what smaller ones took beyond it as the floor. */
function lineThrough(
  readings: readonly MeasuredPeak[],
  count: number,
  relativeNoise: number,
): MemoryFit | undefined {
  const points = largest(readings, count);
  const smaller = readings.filter((reading) => !points.includes(reading));
  const most = Math.max(0, ...smaller.map(({ peakBytes }) => peakBytes));
  const [lowest] = points.slice(-1);
  if (lowest && lowest.peakBytes <= ABOVE_FLOOR * most) return undefined;
  const fit = fitMemory(points, { relativeNoise, hasFloor: false });
  if (!fit) return undefined;
  const above = smaller.filter(({ batchSize, peakBytes }) => peakBytes > predictPeakBytes(fit, batchSize));
  return { ...fit, floorBytes: Math.max(0, ...above.map(({ peakBytes }) => peakBytes)) };
}

/** By how much line and floor miss all readings, as a share; two points must be far apart to stand for more. */
function meanError(fit: MemoryFit, readings: readonly MeasuredPeak[]): number {
  if (fit.linePoints === 2 && readings.length > 2 && !isFar(largest(readings, 2), FAR)) return Infinity;
  const squares = readings.map(
    ({ batchSize, peakBytes }) => (predictPeakBytes(fit, batchSize) / peakBytes - 1) ** 2,
  );
  const degrees = readings.length - 2 - (fit.floorBytes > 0 ? 1 : 0);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / Math.max(1, degrees));
}

const isFar = ([large, small]: readonly MeasuredPeak[], share: number): boolean =>
  (small?.peakBytes ?? Infinity) <= share * (large?.peakBytes ?? 0);

const largest = <Step extends MeasuredPeak>(steps: readonly Step[], count: number): Step[] =>
  [...steps].sort((a, b) => b.batchSize - a.batchSize).slice(0, count);
