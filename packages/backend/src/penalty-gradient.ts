import type { CompiledModel } from './compiled-model.ts';
import type { Scalar, Tensor, Tf } from './tf.ts';

/**
 * Gradient of the model's weight penalties alone, one entry per trained weight; undefined where it has none. Owned by
 * the caller.
 */
export function penaltyGradient(
  tf: Tf,
  { variables, penalties }: CompiledModel,
): readonly { readonly name: string; readonly tensor: Tensor | null }[] | undefined {
  const count = { of: 0 };
  tf.tidy(() => void (count.of = penalties().length));
  if (count.of === 0) return undefined;
  const { value, grads } = tf.variableGrads(
    () => penalties().reduce((sum: Scalar, penalty) => tf.add(sum, penalty), tf.scalar(0)),
    [...variables],
  );
  value.dispose();
  return variables.map(({ name }) => ({ name, tensor: grads[name] ?? null }));
}
