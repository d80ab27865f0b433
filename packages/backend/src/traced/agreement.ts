/** How two computations of the same values compare. */
export type Agreement = 'agree' | 'differ' | 'unknown';

/**
 * Compares values with those that are known to be right: no difference above `tolerance` times the largest of the
 * latter. Unknown where one of those is not finite.
 */
export function agreement(right: ArrayLike<number>, tried: ArrayLike<number>, tolerance: number): Agreement {
  if (right.length !== tried.length) return 'differ';
  let largest = 0;
  let furthest = 0;
  for (let i = 0; i < right.length; i += 1) {
    const value = Number(right[i]);
    if (!Number.isFinite(value)) return 'unknown';
    largest = Math.max(largest, Math.abs(value));
    const distance = Math.abs(value - Number(tried[i]));
    // Not a number is further than any.
    furthest = distance <= furthest ? furthest : Number.isNaN(distance) ? Infinity : distance;
  }
  return furthest <= tolerance * largest ? 'agree' : 'differ';
}
