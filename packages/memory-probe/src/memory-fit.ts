/** One measured size. */
export interface MeasuredPeak {
  readonly batchSize: number;
  readonly peakBytes: number;
}

/**
 * Peak memory of a training step by batch size, max(floorBytes, interceptBytes + bytesPerExample · B), as fitted to
 * measured peaks. Survives JSON.
 *
 * A line, since weights, gradients and optimizer state do not grow with the batch and activations do in proportion. A
 * floor, since the optimizer's temporaries are freed before or after the activations: small batches stay below them.
 */
export type MemoryFit = {
  /** 0 where no floor was seen. */
  readonly floorBytes: number;
  readonly interceptBytes: number;
  readonly bytesPerExample: number;
  /** Standard deviation of a reading around the line, as a share of the reading. */
  readonly relativeError: number;
  /** Readings that the line rests on; the others were on the floor. */
  readonly linePoints: number;
  /** For the band: mean size x̄, Σ w and Σ w (x − x̄)² over the line's readings, with weights w = 1 / peak². */
  readonly band: {
    readonly meanBatchSize: number;
    readonly weight: number;
    readonly spread: number;
  };
};

/**
 * A line must go through its readings to within so many times their noise, and may miss them by this share in any case: gaps
 * between blocks grow a little less than the blocks.
 */
const STRAIGHT = 3;
export const BENT = 0.012;
/** Two readings make a line only if both stand out this far above the floor. */
const ABOVE_FLOOR = 1.05;
/** Three readings in a row make a line only if they rise by this much. */
const RISE = 1.1;
/** The prior says as much about the scatter of readings as this many readings would. */
const PRIOR_READINGS = 4;

/** What is known of readings before they are fitted. */
export interface FitOptions {
  /**
   * What a reading is expected to be off by, as a share of it. Measured scatter is added as to a conjugate prior, so that
   * two readings that happen to lie well do not promise a certainty that is not there.
   */
  readonly relativeNoise: number;
  /** False where the readings are of gradients alone, which have no floor. Default true. */
  readonly hasFloor?: boolean;
}

/**
 * Fits the law to readings: the smallest number of leading readings is taken for the floor with which the rest lie on a
 * line, by least squares of relative errors. There is no fit while it cannot be told whether the readings have left the
 * floor: two above the one that may be it, or three in a row that rise.
 */
export function fitMemory(
  readings: readonly MeasuredPeak[],
  { relativeNoise, hasFloor = true }: FitOptions,
): MemoryFit | undefined {
  const sorted = [...readings].sort((a, b) => a.batchSize - b.batchSize);
  const straight = Math.max(BENT, STRAIGHT * relativeNoise);
  const mostOnFloor = hasFloor ? sorted.length - 2 : 0;
  for (let floorCount = 0; floorCount <= mostOnFloor; floorCount += 1) {
    const onFloor = sorted.slice(0, floorCount);
    const onLine = sorted.slice(floorCount);
    const floorBytes = Math.max(0, ...onFloor.map(({ peakBytes }) => peakBytes));
    const line = hasFloor && !risesClearly(onLine, floorBytes) ? undefined : fitLine(onLine);
    if (line === undefined) continue;
    const errors = onLine.map(({ batchSize, peakBytes }) => lineAt(line, batchSize) / peakBytes - 1);
    const isAboveFloor = onFloor.some(
      ({ batchSize }) => lineAt(line, batchSize) > (1 + straight) * floorBytes,
    );
    if (isAboveFloor || errors.some((error) => Math.abs(error) > straight)) continue;
    const { interceptBytes, bytesPerExample, ...band } = line;
    return {
      floorBytes,
      interceptBytes,
      bytesPerExample,
      relativeError: scatter(errors, relativeNoise),
      linePoints: onLine.length,
      band,
    };
  }
  return undefined;
}

/** The expected peak of a step with so many examples on the device, in bytes. */
export const predictPeakBytes = (fit: MemoryFit, batchSize: number): number =>
  Math.max(fit.floorBytes, lineAt(fit, batchSize));

/**
 * The upper end of the one-sided 95 % band for a new reading: the line's own uncertainty grows with the distance from
 * what was measured (the prediction interval of weighted linear regression, with errors in proportion to the peak).
 */
export function upperPeakBytes(fit: MemoryFit, batchSize: number): number {
  const expected = predictPeakBytes(fit, batchSize);
  const { meanBatchSize, weight, spread } = fit.band;
  const variance = expected ** 2 + 1 / weight + (batchSize - meanBatchSize) ** 2 / spread;
  return expected + quantileOf(fit) * fit.relativeError * Math.sqrt(variance);
}

/** The upper end of the one-sided 95 % interval for the bytes of one more example. */
export const upperBytesPerExample = (fit: MemoryFit): number =>
  fit.bytesPerExample + (quantileOf(fit) * fit.relativeError) / Math.sqrt(fit.band.spread);

/** The largest size from `from` to `to` whose band stays within so many bytes; `from` itself where none does. */
export function largestWithin(
  fit: MemoryFit,
  bytes: number,
  { from, to }: { from: number; to: number },
): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (upperPeakBytes(fit, middle) <= bytes) low = middle;
    else high = middle - 1;
  }
  return low;
}

type Line = Pick<MemoryFit, 'interceptBytes' | 'bytesPerExample'>;

const lineAt = ({ interceptBytes, bytesPerExample }: Line, batchSize: number): number =>
  interceptBytes + bytesPerExample * batchSize;

function risesClearly(onLine: readonly MeasuredPeak[], floorBytes: number): boolean {
  const [first, ...others] = onLine.map(({ peakBytes }) => peakBytes);
  const last = others.at(-1);
  if (first === undefined || last === undefined) return false;
  if (others.length === 1) return floorBytes > 0 && first > ABOVE_FLOOR * floorBytes && last > first;
  return last > RISE * first;
}

/** Least squares with weights 1 / peak²; undefined where it is not a line, or does not rise. */
function fitLine(points: readonly MeasuredPeak[]): (Line & MemoryFit['band']) | undefined {
  const weighted = points.map(({ batchSize, peakBytes }) => ({ batchSize, peakBytes, w: peakBytes ** -2 }));
  const sum = (of: (point: (typeof weighted)[number]) => number): number =>
    weighted.reduce((total, point) => total + point.w * of(point), 0);
  const weight = sum(() => 1);
  const meanBatchSize = sum(({ batchSize }) => batchSize) / weight;
  const meanPeak = sum(({ peakBytes }) => peakBytes) / weight;
  const spread = sum(({ batchSize }) => (batchSize - meanBatchSize) ** 2);
  if (spread === 0) return undefined;
  const bytesPerExample =
    sum(({ batchSize, peakBytes }) => (batchSize - meanBatchSize) * (peakBytes - meanPeak)) / spread;
  if (!(bytesPerExample > 0)) return undefined;
  return {
    interceptBytes: meanPeak - bytesPerExample * meanBatchSize,
    bytesPerExample,
    meanBatchSize,
    weight,
    spread,
  };
}

/** The posterior scale of a scaled inverse χ² prior: (ν₀ σ₀² + Σ e²) / (ν₀ + n − 2). */
function scatter(errors: readonly number[], relativeNoise: number): number {
  const squares = errors.reduce((total, error) => total + error ** 2, 0);
  return Math.sqrt((PRIOR_READINGS * relativeNoise ** 2 + squares) / (PRIOR_READINGS + errors.length - 2));
}

const quantileOf = ({ linePoints }: MemoryFit): number => upperQuantile(PRIOR_READINGS + linePoints - 2);

/**
 * The t with P(T < t) = 0.95 for Student's t: Abramowitz and Stegun 26.7.5 to second order, 0.8 % low at 4 degrees of
 * freedom, less above; there are never fewer here.
 */
function upperQuantile(degreesOfFreedom: number): number {
  const z = 1.644854;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  return z + first / degreesOfFreedom + second / degreesOfFreedom ** 2;
}
