/**
 * A copy of scores that can be drawn by: those that are not finite are the mean of the others, so that a forward pass
 * that overflowed makes an example neither certain nor impossible, and all are 1 where there is none above 0.
 * @throws RangeError when there are none, or one is below 0
 */
export function finiteScores(scores: ArrayLike<number>): Float64Array {
  if (scores.length === 0) throw new RangeError('There are no scores; give one per example of the pool.');
  const own = Float64Array.from(scores);
  const wrong = own.findIndex((score) => score < 0);
  if (wrong !== -1) throw new RangeError(`scores[${wrong}] is ${own[wrong]}; give scores of 0 or more.`);
  const finite = own.filter(Number.isFinite);
  const mean = finite.reduce((sum, score) => sum + score / finite.length, 0);
  return mean === 0 ? own.fill(1) : own.map((score) => (Number.isFinite(score) ? score : mean));
}
