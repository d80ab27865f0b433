import { requireInteger } from '@batchwise/sampler';

/** A batch of embedded examples. */
export interface EmbeddedBatch {
  /** Row by row, `dimensions` numbers for each label. */
  readonly embeddings: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly dimensions: number;
}

/**
 * For each anchor its farthest positive and its nearest negative, by Euclidean distance: batch-hard mining (Hermans et
 * al. 2017, arXiv 1703.07737, equation 5). Anchors without a positive or a negative are left out.
 *
 * @returns anchor, positive and negative of each triplet, one after the other, as rows of the batch
 * @throws RangeError when the lengths do not fit together or an embedding is not finite
 */
export function batchHardTriplets(batch: EmbeddedBatch): Int32Array {
  const rows = requireBatch(batch);
  const triplets: number[] = [];
  for (let anchor = 0; anchor < rows; anchor++) {
    const distances = squaredDistances(batch, anchor);
    let [positive, negative] = [-1, -1];
    distances.forEach((distance, other) => {
      if (other === anchor) return;
      if (batch.labels[other] === batch.labels[anchor]) {
        if (positive === -1 || distance > (distances[positive] ?? 0)) positive = other;
      } else if (negative === -1 || distance < (distances[negative] ?? 0)) negative = other;
    });
    if (positive !== -1 && negative !== -1) triplets.push(anchor, positive, negative);
  }
  return Int32Array.from(triplets);
}

/**
 * For each pair of an anchor and a positive the nearest negative that is farther than the positive, but by less than
 * `margin`: |a − p|² < |a − n|² < |a − p|² + margin (Schroff et al. 2015, FaceNet, arXiv 1503.03832, section 3.2). Pairs
 * without such a negative are left out.
 *
 * @returns as `batchHardTriplets`
 * @throws RangeError as `batchHardTriplets`, and when `margin` is not above 0
 */
export function semiHardTriplets(batch: EmbeddedBatch, { margin }: { readonly margin: number }): Int32Array {
  if (!(margin > 0)) throw new RangeError(`margin is ${margin}; give a number above 0, a squared distance.`);
  const rows = requireBatch(batch);
  const { labels } = batch;
  const triplets: number[] = [];
  for (let anchor = 0; anchor < rows; anchor++) {
    const distances = squaredDistances(batch, anchor);
    const byDistance = Int32Array.from(distances.keys()).sort(
      (a, b) => (distances[a] ?? 0) - (distances[b] ?? 0) || a - b,
    );
    const negatives = byDistance.filter((row) => labels[row] !== labels[anchor]);
    distances.forEach((distance, positive) => {
      if (positive === anchor || labels[positive] !== labels[anchor]) return;
      const negative = negatives.find((row) => (distances[row] ?? 0) > distance);
      if (negative !== undefined && (distances[negative] ?? 0) < distance + margin)
        triplets.push(anchor, positive, negative);
    });
  }
  return Int32Array.from(triplets);
}

function requireBatch({ embeddings, labels, dimensions }: EmbeddedBatch): number {
  requireInteger('dimensions', dimensions, { from: 1 });
  if (embeddings.length !== labels.length * dimensions) {
    throw new RangeError(
      `${labels.length} labels in ${dimensions} dimensions need ${labels.length * dimensions} numbers, ` +
        `but there are ${embeddings.length}; give one row of the embeddings per label.`,
    );
  }
  for (let k = 0; k < embeddings.length; k++) {
    if (!Number.isFinite(embeddings[k])) {
      const [row, column] = [Math.floor(k / dimensions), k % dimensions];
      throw new RangeError(
        `Number ${column} of embedding ${row} is ${embeddings[k]}; mine triplets of finite embeddings only.`,
      );
    }
  }
  return labels.length;
}

function squaredDistances({ embeddings, labels, dimensions }: EmbeddedBatch, anchor: number): Float64Array {
  return Float64Array.from({ length: labels.length }, (_, row) => {
    let sum = 0;
    for (let k = 0; k < dimensions; k++)
      sum += ((embeddings[row * dimensions + k] ?? 0) - (embeddings[anchor * dimensions + k] ?? 0)) ** 2;
    return sum;
  });
}
