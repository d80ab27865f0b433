import type { Tensor } from './tf.ts';

/** One entry per trainable weight, in the model's order; null where the loss does not depend on it. */
export type LayersGradient = readonly { readonly name: string; readonly tensor: Tensor | null }[];

/** The tensors of a gradient, without the gaps. */
export const tensorsOf = (gradient: LayersGradient): readonly Tensor[] =>
  gradient.flatMap(({ tensor }) => tensor ?? []);

/** Which weights have a gradient. */
export const presenceOf = (gradient: LayersGradient): string =>
  gradient.map(({ tensor }) => (tensor ? '+' : '-')).join('');
