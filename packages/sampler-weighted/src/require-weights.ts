import { MAX_SIZE, requireInteger } from '@batchwise/sampler';

/** @throws RangeError when `weight` is not a finite number above 0 */
export function requireWeight(name: string, weight: number): void {
  if (weight > 0 && weight < Infinity) return;
  const instead = weight === 0 ? '; to leave an example out, sample a subset without it' : '';
  throw new RangeError(`${name} is ${weight}; give a finite number above 0${instead}.`);
}

/**
 * The sum of weights that can be drawn by.
 * @param most of them
 * @throws RangeError when there are none or more than that, one is not a finite number above 0, or their sum is not
 */
export function requireWeights(weights: ArrayLike<number>, most = MAX_SIZE): number {
  requireInteger('The number of weights', weights.length, { from: 1, to: most });
  let total = 0;
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k] ?? NaN;
    // The name is made only for the message: there may be millions of weights.
    if (!(weight > 0 && weight < Infinity)) requireWeight(`weights[${k}]`, weight);
    total += weight;
  }
  requireFinite(total);
  return total;
}

/** @throws RangeError when weights of this sum cannot be drawn by */
export function requireFinite(total: number): void {
  if (total === Infinity)
    throw new RangeError('The weights add up to Infinity; divide them by a common factor.');
}

/** @throws RangeError when `value` is not a number from 0 to 1 */
export function requireShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} is ${value}; give a number from 0 to 1.`);
}

/** @throws RangeError when `value` is not a finite number of 0 or more */
export function requireNotNegative(name: string, value: number): void {
  if (value >= 0 && value < Infinity) return;
  throw new RangeError(`${name} is ${value}; give a finite number of 0 or more.`);
}

/** @throws RangeError when a state is of another number of examples */
export function requireStateOf(examples: number, state: ArrayLike<unknown> | undefined): void {
  if (!state || state.length === examples) return;
  throw new RangeError(
    `The state is of ${state.length} examples, not ${examples}; give one of this sampler.`,
  );
}
