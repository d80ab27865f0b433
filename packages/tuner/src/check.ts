/** @throws RangeError unless it is a whole number of at least `least`. */
export function checkCount(value: number, name: string, least = 1): void {
  if (!(Number.isInteger(value) && value >= least))
    throw new RangeError(`${name} is ${value}; give a whole number of at least ${least}.`);
}

/** @throws RangeError unless it is a finite number above `bound`. */
export function checkAbove(value: number, name: string, bound = 0): void {
  if (!(Number.isFinite(value) && value > bound))
    throw new RangeError(`${name} is ${value}; give a finite number above ${bound}.`);
}

/** @throws RangeError unless it lies in [0, 1). */
export function checkShare(value: number, name: string): void {
  if (!(value >= 0 && value < 1))
    throw new RangeError(`${name} is ${value}; give a share from 0 up to below 1.`);
}
