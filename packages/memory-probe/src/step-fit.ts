import { fitMemory, predictPeakBytes, type MeasuredPeak, type MemoryFit } from './memory-fit.ts';

/** One measured size, the gradients apart where they are told apart. */
export interface MeasuredStep extends MeasuredPeak {
  readonly gradientPeakBytes: number | null;
}

/** A law must meet each step that it is said to be of to within so many times their noise. */
const HOLDS = 3;

/**
 * Fits whole steps. Where gradients are told apart, two readings are enough: they lie on a line, and the floor is what
 * updates take, seen wherever a step took more than its gradients. Otherwise, or where that does not meet the readings,
 * the law of {@link fitMemory}.
 */
export function fitSteps(steps: readonly MeasuredStep[], relativeNoise: number): MemoryFit | undefined {
  const gradients = fitGradients(steps, relativeNoise);
  if (gradients) {
    const updates = steps.filter(({ peakBytes, gradientPeakBytes }) => peakBytes > (gradientPeakBytes ?? 0));
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

/** The line of the gradients, through as many of the largest steps as lie on one: allocators count small blocks apart. */
export function fitGradients(steps: readonly MeasuredStep[], relativeNoise: number): MemoryFit | undefined {
  const readings = steps.flatMap(({ batchSize, gradientPeakBytes }) =>
    gradientPeakBytes === null ? [] : [{ batchSize, peakBytes: gradientPeakBytes }],
  );
  for (let count = readings.length; count >= 2; count -= 1) {
    const fit = fitMemory(largest(readings, count), { relativeNoise, hasFloor: false });
    if (fit) return fit;
  }
  return undefined;
}

const largest = <Step extends MeasuredPeak>(steps: readonly Step[], count: number): Step[] =>
  [...steps].sort((a, b) => b.batchSize - a.batchSize).slice(0, count);
