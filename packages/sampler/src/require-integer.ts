/** The most examples that a sampler can order: indices are handed out as 32-bit signed integers. */
export const MAX_SIZE = 2 ** 31 - 1;

/** Both ends included. */
export interface IntegerRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Checks an argument that counts something.
 * @throws RangeError when `value` is not an integer in the range
 */
export function requireInteger(name: string, value: number, { from, to }: IntegerRange): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new RangeError(`${name} is ${value}; give an integer from ${from} to ${to}.`);
}
