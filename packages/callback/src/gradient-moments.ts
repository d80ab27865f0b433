import type { GradientMoments } from '@batchwise/core';
import type { NamedTensorMap, Tensor, Tf } from './tf.ts';

/** The mean gradient over one part of a step, by variable, as `tf.variableGrads` gives it in `grads`. */
export interface GradientPart {
  readonly examples: number;
  readonly gradient: NamedTensorMap;
}

/** What the gradients of all parts have in common without any example. */
export interface GradientMomentsOptions {
  /** Gradient of the weight penalties alone, by variable, where the loss of the parts holds such; variables without one may be left out. */
  readonly penalty?: NamedTensorMap | undefined;
}

/**
 * The inner products of a step's gradients for `tuner.report`, from two or more parts that were computed at the same
 * weights, before they are clipped. The tensors stay the caller's.
 * @throws RangeError for fewer than two parts, parts that differ in their variables, or a penalty on others
 */
export async function gradientMoments(
  tf: Pick<Tf, 'tidy' | 'reshape' | 'matMul' | 'add'>,
  parts: readonly GradientPart[],
  { penalty }: GradientMomentsOptions = {},
): Promise<GradientMoments> {
  const [first] = parts;
  if (!first || parts.length < 2)
    throw new RangeError(`There are ${parts.length} parts; the noise shows only between two or more.`);
  const names = Object.keys(first.gradient);
  const missing = parts.find(({ gradient }) => names.some((name) => !gradient[name]));
  if (missing || names.length === 0)
    throw new RangeError('The parts differ in their variables; give the gradients of the same model.');
  const unknown = Object.keys(penalty ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new RangeError(
      `The penalty has a variable "${unknown}", which the parts have not; give it by their names.`,
    );
  const squaredNorms: number[] = [];
  let crossProduct = 0;
  for (const [k, { examples, gradient }] of parts.entries()) {
    squaredNorms.push(await dot(tf, gradient, gradient));
    for (const earlier of parts.slice(0, k))
      crossProduct += earlier.examples * examples * (await dot(tf, earlier.gradient, gradient));
  }
  const moments = { sizes: parts.map(({ examples }) => examples), squaredNorms, crossProduct };
  if (!penalty || Object.keys(penalty).length === 0) return moments;
  const products: number[] = [];
  for (const { gradient } of parts) products.push(await dot(tf, penalty, gradient));
  return { ...moments, penalty: { squaredNorm: await dot(tf, penalty, penalty), products } };
}

/** Over the variables of `a`. */
async function dot(
  tf: Pick<Tf, 'tidy' | 'reshape' | 'matMul' | 'add'>,
  a: NamedTensorMap,
  b: NamedTensorMap,
): Promise<number> {
  const product = tf.tidy(() =>
    Object.entries(a)
      .map(([name, tensor]) => dotOf(tf, tensor, b[name]))
      .reduce((sum, next) => tf.add(sum, next)),
  );
  const [value = NaN] = await product.data();
  product.dispose();
  return value;
}

/** As a matrix product, which is as precise as the engine gets. */
function dotOf(tf: Pick<Tf, 'reshape' | 'matMul'>, a: Tensor | undefined, b: Tensor | undefined): Tensor {
  if (!a || !b) throw new Error('unreachable: the variables were compared before');
  return tf.reshape(tf.matMul(tf.reshape(a, [1, -1]), tf.reshape(b, [-1, 1])), []);
}
