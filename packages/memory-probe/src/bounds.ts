/** A size above which a device refuses work, known without trying. */
export type StaticLimit = {
  /** The largest number of examples that it allows. */
  readonly batchSize: number;
  /** For a person: which limit, and of what. */
  readonly reason: string;
};

/** What may bound the sizes from outside. */
export interface SizeBounds {
  /** Smallest size wanted, in examples. Default 1. */
  readonly min?: number;
  /** Largest size wanted, in examples. Default: none. */
  readonly max?: number;
  /** Sizes are multiples of this. Default 1. */
  readonly multipleOf?: number;
  /** Examples there are; no batch is larger. Default: as many as one likes. */
  readonly datasetSize?: number;
  /** Limits of the device that are known before any run. */
  readonly staticLimits?: readonly StaticLimit[];
}

/** The sizes that may be tried: multiples of `step` from `least` to `most`. */
export type SizeRange = {
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** What sets `most`, and how a person would say it. */
  readonly limitedBy: 'maximum' | 'dataset' | 'deviceLimit' | 'none';
  readonly reason: string;
};

/** Without any bound: no device holds so many examples. */
const LARGEST = 2 ** 40;

/**
 * The sizes that are left between all bounds; none (`most` below `least`) where the examples or the device allow too few.
 * @throws RangeError when a bound is not a whole number above 0, or no multiple lies between the user's own
 */
export function sizeRange({
  min = 1,
  max,
  multipleOf = 1,
  datasetSize,
  staticLimits = [],
}: SizeBounds): SizeRange {
  for (const [name, value] of Object.entries({ min, max, multipleOf, datasetSize }))
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw new RangeError(`${name} is ${value}; give a whole number of at least 1.`);
  const caps = [
    { limitedBy: 'none', batchSize: LARGEST, reason: 'nothing bounds it' },
    ...(max === undefined
      ? []
      : [{ limitedBy: 'maximum', batchSize: max, reason: `max is ${max}` } as const]),
    ...(datasetSize === undefined
      ? []
      : [
          {
            limitedBy: 'dataset',
            batchSize: datasetSize,
            reason: `there are ${datasetSize} examples`,
          } as const,
        ]),
    ...staticLimits.map((limit) => ({ limitedBy: 'deviceLimit', ...limit }) as const),
  ] as const;
  const cap = caps.reduce((lowest, next) => (next.batchSize < lowest.batchSize ? next : lowest));
  const least = Math.ceil(min / multipleOf) * multipleOf;
  const most = Math.floor(cap.batchSize / multipleOf) * multipleOf;
  if (max !== undefined && max < least)
    throw new RangeError(`No batch size is a multiple of ${multipleOf}, at least ${min} and at most ${max}.`);
  return { least, most, step: multipleOf, limitedBy: cap.limitedBy, reason: cap.reason };
}

/** The largest allowed size that is not above `size`; `least` where there is none. */
export const snapDown = ({ least, most, step }: SizeRange, size: number): number =>
  Math.max(least, Math.min(most, Math.floor(size / step) * step));

/** The smallest allowed size that is not below `size`; `most` where there is none. */
export const snapUp = ({ least, most, step }: SizeRange, size: number): number =>
  Math.max(least, Math.min(most, Math.ceil(size / step) * step));
