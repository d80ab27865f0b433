import {
  findCeiling,
  type CanaryPair,
  type CeilingOptions,
  type PeakReading,
  type Trial,
  type TrialOutcome,
} from '../src/index.ts';

/** A device with a memory law of its own, and the ways in which devices fail. */
export interface SimulatedDevice {
  /** Bytes that a step of so many examples takes. */
  readonly peakBytes: (batchSize: number) => number;
  /** Bytes that the gradients take, where the device tells them apart. */
  readonly gradientBytes?: (batchSize: number) => number;
  /** In use before a step. */
  readonly baseBytes?: number;
  /** More than this is out of memory. */
  readonly memoryBytes?: number;
  /** What the reading says, if not the truth. */
  readonly reads?: (peakBytes: number, trial: number) => number;
  readonly certainty?: PeakReading['certainty'];
  /** Sizes that fail for no visible reason. */
  readonly failsAt?: (batchSize: number) => TrialOutcome | undefined;
  /** From this size on the gradient is 0, without an error. */
  readonly zerosFrom?: number;
}

export const MB = 1e6;

/** Fields that a trial of the size may be given to be wrong about. */
export interface SimulatedTrial {
  readonly trial: Trial;
  /** Sizes in the order in which they were tried. */
  readonly sizes: number[];
  /** Sizes that ran out of memory. */
  readonly outOfMemory: number[];
}

export function simulate(device: SimulatedDevice): SimulatedTrial {
  const { peakBytes, baseBytes = 0, memoryBytes = Infinity, reads = (bytes: number) => bytes } = device;
  const { certainty = 'exact', zerosFrom = Infinity } = device;
  const sizes: number[] = [];
  const outOfMemory: number[] = [];
  const trial: Trial = ({ batchSize, referenceSize }) => {
    sizes.push(batchSize);
    const failure = device.failsAt?.(batchSize);
    if (failure) return failure;
    const bytes = peakBytes(batchSize);
    if (bytes > memoryBytes) {
      outOfMemory.push(batchSize);
      return { kind: 'tooBig', limit: 'memory', message: 'out of memory' };
    }
    return {
      kind: 'trained',
      steps: 2,
      examples: batchSize,
      peak: {
        peakBytes: reads(bytes, sizes.length),
        gradientPeakBytes: device.gradientBytes ? reads(device.gradientBytes(batchSize), sizes.length) : null,
        baseBytes,
        source: 'simulated',
        certainty,
      },
      canary: referenceSize === null ? null : canary(batchSize >= zerosFrom ? 0 : 1),
    };
  };
  return { trial, sizes, outOfMemory };
}

const canary = (share: number): CanaryPair[] => [
  { quantity: 'loss', mode: 'training', whole: 2.3 * share, parts: 2.3 },
  { quantity: 'gradientNorm', mode: 'training', whole: 0.5 * share, parts: 0.5 },
];

/** The largest size that the device trains: by looking at each. */
export function largestFitting({ peakBytes }: SimulatedDevice, bytes: number): number {
  let [low, high] = [0, 2 ** 40];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (peakBytes(middle) <= bytes) low = middle;
    else high = middle - 1;
  }
  return low;
}

export const mlp: SimulatedDevice = {
  peakBytes: (size) => Math.max(29 * MB, 4 * MB + 18_350 * size),
  baseBytes: 2 * MB,
};
export const cnn: SimulatedDevice = { peakBytes: (size) => 5 * MB + 1.339 * MB * size, baseBytes: MB };
export const lstm: SimulatedDevice = { peakBytes: (size) => 3 * MB + 90_000 * size };
/** Two thirds of the memory are taken before the first example, and the optimizer hides the growth. */
export const heavy: SimulatedDevice = {
  peakBytes: (size) => Math.max(320 * MB, 290 * MB + 18_350 * size),
  gradientBytes: (size) => 290 * MB + 18_350 * size,
  baseBytes: 240 * MB,
};
/** Memory comes in blocks of 20 MB for each 256 examples. */
export const blocks: SimulatedDevice = { peakBytes: (size) => 10 * MB + 20 * MB * Math.ceil(size / 256) };

/** Searches on a device with all its memory for a budget, unless another is given. */
export async function search(device: SimulatedDevice, options: CeilingOptions = {}) {
  const budgetBytes = options.budgetBytes ?? device.memoryBytes;
  const simulated = simulate(device);
  const ceiling = await findCeiling(simulated.trial, { ...(budgetBytes && { budgetBytes }), ...options });
  return { ...simulated, ceiling };
}
