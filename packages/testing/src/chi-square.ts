/**
 * Pearson's chi-square statistic: how far counts are from what `probabilities`, which add up to 1, make expected; all
 * equal where they are not given.
 * @throws RangeError when the lengths differ
 */
export function chiSquare(counts: ArrayLike<number>, probabilities?: ArrayLike<number>): number {
  if (probabilities && probabilities.length !== counts.length) {
    throw new RangeError(
      `${counts.length} counts have ${probabilities.length} probabilities; give one for each.`,
    );
  }
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  return Array.from(counts).reduce((sum, count, k) => {
    const expected = total * (probabilities?.[k] ?? 1 / counts.length);
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

/**
 * What a chi-square statistic of so many degrees of freedom exceeds with a probability below e^-18, 2 in 100 million
 * (Laurent and Massart, "Adaptive estimation of a quadratic functional by model selection", Ann. Statist. 28, 2000, lemma
 * 1 with x = 18).
 */
export const chiSquareLimit = (degrees: number): number => degrees + 2 * Math.sqrt(18 * degrees) + 2 * 18;
