import type { GradientMoments } from './gradient-components.ts';

/** The numbers of one vector, all of its parameters in a row. */
type Vector = ArrayLike<number>;

/** What `momentsOf` can also look at. */
export interface MomentsOptions {
  /** Gradient r of the terms of the loss that are the same for every example; it is part of each given gradient. */
  readonly penalty?: Vector | undefined;
}

/**
 * The moments of micro-batches whose mean gradients are at hand as plain numbers, summed in double precision.
 * @param gradients mean gradient of each micro-batch, two or more, all of one length
 * @param sizes examples of each, in the same order; with masks or weights their `effectiveSize`
 * @throws RangeError where the lengths differ
 */
export function momentsOf(
  gradients: readonly Vector[],
  sizes: readonly number[],
  { penalty }: MomentsOptions = {},
): GradientMoments {
  if (gradients.length !== sizes.length) {
    throw new RangeError(
      `There are ${gradients.length} gradients and ${sizes.length} sizes; give one of each.`,
    );
  }
  let crossProduct = 0;
  gradients.forEach((later, k) => {
    for (const [j, earlier] of gradients.slice(0, k).entries())
      crossProduct += (sizes[j] ?? 0) * (sizes[k] ?? 0) * dot(earlier, later);
  });
  return {
    sizes,
    squaredNorms: gradients.map((gradient) => dot(gradient, gradient)),
    crossProduct,
    ...(penalty && {
      penalty: {
        squaredNorm: dot(penalty, penalty),
        products: gradients.map((gradient) => dot(penalty, gradient)),
      },
    }),
  };
}

/**
 * The moments of a batch whose examples are each a micro-batch of one, from exact per-example norms: the least noisy
 * sample that a batch can give. 2 Σ_{j<k} g_j · g_k = B² |ḡ|² − Σ |g_k|² loses digits where the examples' gradients
 * nearly cancel; in single precision keep B below some thousands.
 * @param squaredNorms |g_k|² of each example, such as `denseSquaredNorms` gives
 * @param squaredNormOfMean |ḡ|² of the batch's mean gradient
 */
export function momentsOfExamples(
  squaredNorms: readonly number[],
  squaredNormOfMean: number,
): GradientMoments {
  const examples = squaredNorms.length;
  const sum = squaredNorms.reduce((total, squaredNorm) => total + squaredNorm, 0);
  return {
    sizes: squaredNorms.map(() => 1),
    squaredNorms,
    crossProduct: (examples ** 2 * squaredNormOfMean - sum) / 2,
  };
}

/** Σ a b of two vectors. @throws RangeError where their lengths differ */
function dot(a: Vector, b: Vector): number {
  if (a.length !== b.length)
    throw new RangeError(`A gradient has ${a.length} numbers and another ${b.length}; they must be alike.`);
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
