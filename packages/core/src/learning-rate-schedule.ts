/** A factor on the learning rate as a function of the examples trained on so far; the batch size does not enter. */
export type LearningRateSchedule = (examples: number) => number;

const positive = (value: number, name: string): number => {
  if (!(value > 0) || !Number.isFinite(value))
    throw new RangeError(`${name} is ${value}; give a number above 0.`);
  return value;
};

/** 1 throughout. */
export const constantRate: LearningRateSchedule = () => 1;

/**
 * Rises linearly to 1 over the first `examples` (Goyal et al. 2017, section 2.2, counted in examples).
 * @throws RangeError when `examples` is not above 0
 */
export function warmUp(examples: number): LearningRateSchedule {
  positive(examples, 'warmUp examples');
  return (seen) => Math.min(1, (seen + 1) / examples);
}

/**
 * Half a cosine from 1 to `floor` over `examples`, then `floor` (Loshchilov and Hutter 2017, eq. 5, one cycle).
 * @throws RangeError when `examples` is not above 0 or `floor` is outside 0..1
 */
export function cosineDecay(examples: number, floor = 0): LearningRateSchedule {
  positive(examples, 'cosineDecay examples');
  if (!(floor >= 0 && floor <= 1))
    throw new RangeError(`cosineDecay floor is ${floor}; give a number from 0 to 1.`);
  return (seen) => floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, seen / examples)));
}

/**
 * Multiplies by `factor` each time another `everyExamples` have been seen.
 * @throws RangeError when an argument is not above 0
 */
export function stepDecay(everyExamples: number, factor: number): LearningRateSchedule {
  positive(everyExamples, 'stepDecay everyExamples');
  positive(factor, 'stepDecay factor');
  return (seen) => factor ** Math.floor(seen / everyExamples);
}

/** The product of several schedules: `productOf(warmUp(10_000), cosineDecay(600_000))`. */
export function productOf(...schedules: readonly LearningRateSchedule[]): LearningRateSchedule {
  return (seen) => schedules.reduce((factor, schedule) => factor * schedule(seen), 1);
}
