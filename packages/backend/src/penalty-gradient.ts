import type { CompiledModel } from './compiled-model.ts';
import type { Scalar, Tensor, Tf } from './tf.ts';

/**
 * Gradient of the model's weight penalties alone, one entry per trained weight; undefined where no trained weight has one, as
 * with penalties of frozen layers or of factor 0. Owned by the caller.
 */
export function penaltyGradient(
  tf: Tf,
  { variables, penalties }: CompiledModel,
): readonly { readonly name: string; readonly tensor: Tensor | null }[] | undefined {
  const count = { of: 0 };
  tf.tidy(() => void (count.of = penalties().length));
  if (count.of === 0) return undefined;
  // As variableGrads, which refuses a sum that no variable has a part in.
  const { value, grads } = tf
    .engine()
    .gradients(
      () => penalties().reduce((sum: Scalar, penalty) => tf.add(sum, penalty), tf.scalar(0)),
      [...variables],
      undefined,
      true,
    );
  value.dispose();
  const found: readonly (Tensor | undefined)[] = grads;
  if (found.every((tensor) => !tensor)) return undefined;
  return variables.map(({ name }, i) => ({ name, tensor: found[i] ?? null }));
}
