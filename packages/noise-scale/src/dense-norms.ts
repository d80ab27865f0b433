/** A dense layer as backpropagation sees it: y = a W + bias, with a row for each example. */
export interface DenseLayer {
  /** a: what went into the layer, `[examples][inputs]`. */
  readonly inputs: readonly ArrayLike<number>[];
  /** δ: gradient of each example's own loss with respect to its y, `[examples][units]`. */
  readonly errors: readonly ArrayLike<number>[];
  /** Whether the layer has a trained bias. */
  readonly bias: boolean;
}

/**
 * Exact squared norm of each example's gradient over a network of dense layers, without any of these gradients: that of
 * a layer's weights is the outer product a δᵀ, with |a δᵀ|² = |a|² |δ|², and that of its bias is δ. So
 * |g_k|² = Σ_layers |δ_k|² (|a_k|² + 1), the 1 for the bias. Source: I. Goodfellow, "Efficient per-example gradient
 * computations", arXiv 1510.01799.
 * @returns one number per example
 * @throws RangeError where the layers do not have one row per example each
 */
export function denseSquaredNorms(layers: readonly DenseLayer[]): number[] {
  const examples = layers[0]?.inputs.length ?? 0;
  layers.forEach(({ inputs, errors }, k) => {
    if (inputs.length !== examples || errors.length !== examples) {
      throw new RangeError(
        `Layer ${k} has ${inputs.length} rows of inputs and ${errors.length} of errors; each needs ${examples}.`,
      );
    }
  });
  return Array.from({ length: examples }, (_, example) =>
    layers.reduce((total, { inputs, errors, bias }) => {
      const input = squaredNorm(inputs[example] ?? []) + (bias ? 1 : 0);
      return total + input * squaredNorm(errors[example] ?? []);
    }, 0),
  );
}

function squaredNorm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += (values[i] ?? 0) ** 2;
  return sum;
}
