/** The most examples that a sampler can order: indices are handed out as 32-bit signed integers. */
export const MAX_SIZE = 2 ** 31 - 1;

/** Both ends included. */
export interface IntegerRange {
  /** 0 where it is not given. */
  readonly from?: number;
  /** 2⁵³ − 1 where it is not given. */
  readonly to?: number;
}

/**
 * Checks an argument that counts something.
 * @throws RangeError when `value` is not an integer in the range
 */
export function requireInteger(
  name: string,
  value: number,
  { from = 0, to = Number.MAX_SAFE_INTEGER }: IntegerRange = {},
): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new RangeError(`${name} is ${value}; give an integer from ${from} to ${to}.`);
}
