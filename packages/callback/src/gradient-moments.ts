import type { GradientMoments } from '@batchwise/core';
import type { NamedTensorMap, Tensor, Tf } from './tf.ts';

/** The mean gradient over one part of a step, by variable, as `tf.variableGrads` gives it in `grads`. */
export interface GradientPart {
  readonly examples: number;
  readonly gradient: NamedTensorMap;
}

/**
 * The inner products of a step's gradients for `tuner.report`, from two or more parts that were computed at the same
 * weights. The tensors stay the caller's.
 * @throws RangeError for fewer than two parts, or parts that differ in their variables
 */
export async function gradientMoments(
  tf: Pick<Tf, 'tidy' | 'reshape' | 'matMul' | 'add'>,
  parts: readonly GradientPart[],
): Promise<GradientMoments> {
  const [first] = parts;
  if (!first || parts.length < 2)
    throw new RangeError(`There are ${parts.length} parts; the noise shows only between two or more.`);
  const names = Object.keys(first.gradient);
  const missing = parts.find(({ gradient }) => names.some((name) => !gradient[name]));
  if (missing || names.length === 0)
    throw new RangeError('The parts differ in their variables; give the gradients of the same model.');
  const dot = async (a: GradientPart, b: GradientPart): Promise<number> => {
    const product = tf.tidy(() =>
      names
        .map((name) => dotOf(tf, a.gradient[name], b.gradient[name]))
        .reduce((sum, next) => tf.add(sum, next)),
    );
    const [value = NaN] = await product.data();
    product.dispose();
    return value;
  };
  const squaredNorms: number[] = [];
  let crossProduct = 0;
  for (const [k, part] of parts.entries()) {
    squaredNorms.push(await dot(part, part));
    for (const earlier of parts.slice(0, k))
      crossProduct += earlier.examples * part.examples * (await dot(earlier, part));
  }
  return { sizes: parts.map(({ examples }) => examples), squaredNorms, crossProduct };
}

/** As a matrix product, which is as precise as the engine gets. */
function dotOf(tf: Pick<Tf, 'reshape' | 'matMul'>, a: Tensor | undefined, b: Tensor | undefined): Tensor {
  if (!a || !b) throw new Error('unreachable: the variables were compared before');
  return tf.reshape(tf.matMul(tf.reshape(a, [1, -1]), tf.reshape(b, [-1, 1])), []);
}
