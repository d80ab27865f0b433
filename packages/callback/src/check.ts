const shown = (value: unknown): string => (typeof value === 'string' ? `"${value}"` : String(value));

/** @throws RangeError unless it is left out or a whole number of at least 1 */
export function checkCount(value: number | undefined, name: string): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1)) return;
  throw new RangeError(`${name} is ${shown(value)}; give a whole number of at least 1, or leave it out.`);
}

/** @throws RangeError unless it is left out or a finite number above 0 */
export function checkBytes(value: number | undefined, name: string): void {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return;
  throw new RangeError(`${name} is ${shown(value)}; give bytes, a finite number above 0, or leave it out.`);
}
