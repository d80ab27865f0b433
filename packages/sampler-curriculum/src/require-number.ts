/** @throws RangeError when `value` is not a finite number above the bound */
export function requireNumber(name: string, value: number, { above }: { readonly above: number }): void {
  if (value > above && value < Infinity) return;
  throw new RangeError(`${name} is ${value}; give a finite number above ${above}.`);
}

/** @throws RangeError when `value` is not a finite number above 0 */
export const requirePositive = (name: string, value: number): void =>
  requireNumber(name, value, { above: 0 });
