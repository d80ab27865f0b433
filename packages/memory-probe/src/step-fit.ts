import { fitMemory, predictPeakBytes, type MeasuredPeak, type MemoryFit } from './memory-fit.ts';

/** One measured size, the gradients apart where they are told apart. */
export interface MeasuredStep extends MeasuredPeak {
  readonly gradientPeakBytes: number | null;
}

/** Two readings make a line only if this share of the larger one is growth; else there may be another floor below both. */
const GROWTH = 0.5;
/** A line begins this far above what smaller steps took: a step that took no more than they did is on their floor. */
const ABOVE_FLOOR = 1.05;
/** A law must meet each step that it is said to be of to within so many times their noise. */
const HOLDS = 3;

/**
 * Fits whole steps. Where gradients are told apart, two readings are enough: they lie on a line, and the floor is what
 * updates take, seen wherever a step took clearly more than its gradients. Otherwise, or where that does not meet the readings,
 * the law of {@link fitMemory}.
 */
export function fitSteps(steps: readonly MeasuredStep[], relativeNoise: number): MemoryFit | undefined {
  const gradients = fitGradients(steps, relativeNoise);
  if (gradients && (gradients.linePoints > 2 || growsClearly(largest(steps, 2)))) {
    const updates = steps.filter(
      ({ peakBytes, gradientPeakBytes }) => peakBytes > (1 + relativeNoise) * (gradientPeakBytes ?? 0),
    );
    const floorBytes = Math.max(0, ...updates.map(({ peakBytes }) => peakBytes));
    const fit = { ...gradients, floorBytes };
    const onLine = largest(steps, gradients.linePoints);
    const holds = onLine.every(
      ({ batchSize, peakBytes }) =>
        Math.abs(predictPeakBytes(fit, batchSize) / peakBytes - 1) <= HOLDS * relativeNoise,
    );
    if (holds) return fit;
  }
  return fitMemory(steps, { relativeNoise });
}

/**
 * The line of the gradients, through as many of the largest steps as lie on one: what weights, and kernels whatever the
 * size, take for themselves hides the growth of small batches here as well.
 */
export function fitGradients(steps: readonly MeasuredStep[], relativeNoise: number): MemoryFit | undefined {
  const readings = steps.flatMap(({ batchSize, gradientPeakBytes }) =>
    gradientPeakBytes === null ? [] : [{ batchSize, peakBytes: gradientPeakBytes }],
  );
  for (let count = readings.length; count >= 2; count -= 1) {
    const points = largest(readings, count);
    const smaller = readings.filter((reading) => !points.includes(reading));
    const floorBytes = Math.max(0, ...smaller.map(({ peakBytes }) => peakBytes));
    const [lowest] = points.slice(-1);
    if (lowest && lowest.peakBytes <= ABOVE_FLOOR * floorBytes) continue;
    const fit = fitMemory(points, { relativeNoise, hasFloor: false });
    if (fit) return fit;
  }
  return undefined;
}

const growsClearly = ([large, small]: readonly MeasuredStep[]): boolean =>
  (small?.gradientPeakBytes ?? Infinity) <= (1 - GROWTH) * (large?.gradientPeakBytes ?? 0);

const largest = <Step extends MeasuredPeak>(steps: readonly Step[], count: number): Step[] =>
  [...steps].sort((a, b) => b.batchSize - a.batchSize).slice(0, count);
