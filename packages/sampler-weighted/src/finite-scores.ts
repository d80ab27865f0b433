/**
 * A copy of scores in which those that are not finite are the mean of the others, 1 where there is none: a forward pass
 * that overflowed makes an example neither certain nor impossible to be drawn.
 * @throws RangeError when there are none, or one is below 0
 */
export function finiteScores(scores: ArrayLike<number>): Float64Array {
  if (scores.length === 0) throw new RangeError('There are no scores; give one per example of the pool.');
  const own = Float64Array.from(scores);
  const finite = own.filter(Number.isFinite);
  const wrong = own.findIndex((score) => score < 0);
  if (wrong !== -1) throw new RangeError(`scores[${wrong}] is ${own[wrong]}; give scores of 0 or more.`);
  const mean = finite.length === 0 ? 1 : finite.reduce((sum, score) => sum + score / finite.length, 0);
  return own.map((score) => (Number.isFinite(score) ? score : mean));
}
