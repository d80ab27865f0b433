// The largest size that trains, found by trying.

/** Sizes are told apart to this share. */
const PRECISION = 0.004;

/**
 * @param run one size; answers an outcome
 * @param low a size that trains
 * @returns the largest size that trains, from `low` up, and which shares of it are odd: above it and train all the same, or
 *   below it and do not
 */
export async function largestThatTrains(run, low) {
  const tried = new Map();
  const fits = async (batchSize) => {
    if (!tried.has(batchSize)) tried.set(batchSize, (await run(batchSize)).kind === 'trained');
    return tried.get(batchSize);
  };
  let high = Math.ceil(1.02 * low) + 1;
  for (let step = 0.03; await fits(high); step *= 2) {
    low = high;
    high = Math.ceil(high * (1 + step));
  }
  while (high - low > Math.max(1, PRECISION * low)) {
    const middle = Math.round((low + high) / 2);
    if (await fits(middle)) low = middle;
    else high = middle;
  }
  const odd = [];
  for (const share of [0.97, 0.985]) if (!(await fits(Math.round(share * low)))) odd.push(share);
  for (const share of [1.015, 1.03]) if (await fits(Math.round(share * low))) odd.push(share);
  return { batchSize: low, odd };
}
