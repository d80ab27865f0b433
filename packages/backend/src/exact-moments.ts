import { TrainingError, type GradientMoments } from '@batchwise/core';
import { momentsOfExamples } from '@batchwise/noise-scale';
import { openModel } from './compiled-model.ts';
import { Objective } from './objective.ts';
import type { LayersModel, Tensor, Tf, Variable } from './tf.ts';

/** A dense layer behind its types. */
interface DenseFields {
  readonly kernel: { read(): Variable };
  readonly bias: { read(): Variable } | null;
  readonly activation: { apply(values: Tensor): Tensor };
}

/** Kinds of layers that pass examples on one by one and have no weights but dense ones. */
const PASSING = new Set(['InputLayer', 'Flatten', 'Reshape']);

/**
 * The moments of a batch whose examples are each a micro-batch of one, with the exact norm of each example's gradient: the
 * most that a batch can tell of the noise, for the price of about two steps. For models that are a chain of dense layers, where
 * these norms follow from the inputs and errors of the layers (Goodfellow 2015, arXiv 1510.01799), and for the loss on the
 * data alone. Give them to `addSample` of `@batchwise/noise-scale`, as a ground truth or where a run can afford it.
 * @param examples inputs and targets, shape `[examples, …]` each; they stay the caller's
 * @throws TrainingError `invalidOptions` for a model with other layers, several inputs or outputs, or too few examples
 */
export async function exactMoments(
  tf: Tf,
  model: LayersModel,
  examples: { readonly xs: Tensor; readonly ys: Tensor },
): Promise<GradientMoments> {
  const layers = denseLayers(model);
  const { xs, ys } = examples;
  const [count = 0] = xs.shape;
  if (count < 2) throw invalid(`There is noise between two examples or more, and here are ${count}.`);
  const objective = new Objective(tf, openModel(model));
  const inputs: Tensor[] = [];
  /** The outputs, each layer's values before its activation moved by its tap. */
  const forward = (taps: readonly Tensor[], keep?: (input: Tensor) => void): Tensor => {
    let values = tf.reshape(xs, [count, -1]);
    layers.forEach(({ kernel, bias, activation }, i) => {
      keep?.(values);
      const linear = tf.matMul(values, kernel.read());
      const moved = bias ? tf.add(linear, bias.read()) : linear;
      const tap = taps[i];
      values = activation.apply(tap ? tf.add(moved, tap) : moved);
    });
    return values;
  };
  const taps = layers.map(({ kernel }) => {
    const units = kernel.read().shape[1] ?? 0;
    return tf.tidy(() => tf.zeros([count, units]).variable());
  });
  const errors: Tensor[] = [];
  try {
    tf.tidy(() => void forward([], (input) => void inputs.push(tf.keep(input))));
    // The sum of the examples' losses, so that the error of a row is that of its example.
    const { value, grads } = tf.variableGrads(
      () => tf.mul(objective.dataLoss([forward(taps)], { ys: [ys] }), count),
      taps,
    );
    value.dispose();
    for (const { name } of taps) {
      const error = grads[name];
      if (error) errors.push(error);
    }
    const [norms, squaredNormOfMean] = await read(tf, { layers, inputs, errors, count });
    return momentsOfExamples(norms, squaredNormOfMean);
  } finally {
    tf.dispose([...inputs, ...taps, ...errors]);
  }
}

/** |g_k|² of each example, and |ḡ|². */
async function read(
  tf: Tf,
  pass: {
    readonly layers: readonly DenseFields[];
    readonly inputs: readonly Tensor[];
    readonly errors: readonly Tensor[];
    readonly count: number;
  },
): Promise<[number[], number]> {
  const { layers, inputs, errors, count } = pass;
  const rows = (values: Tensor): Tensor => tf.sum(tf.square(values), 1);
  const [norms, means] = tf.tidy(() => {
    const perLayer = layers.map(({ bias }, i) => {
      const [input, error] = [at(inputs, i), at(errors, i)];
      const squaredInput = bias ? tf.add(rows(input), 1) : rows(input);
      const kernel = tf.sum(tf.square(tf.div(tf.matMul(input, error, true), count)));
      const ofBias = bias ? tf.sum(tf.square(tf.mean(error, 0))) : tf.scalar(0);
      return { norms: tf.mul(squaredInput, rows(error)), mean: tf.add(kernel, ofBias) };
    });
    const sumOf = (values: readonly Tensor[]): Tensor => values.reduce((sum, value) => tf.add(sum, value));
    return [sumOf(perLayer.map((layer) => layer.norms)), sumOf(perLayer.map(({ mean }) => mean))] as const;
  });
  try {
    const [perExample, ofMean] = [await norms.data(), await means.data()];
    return [Array.from(perExample), Number(ofMean[0] ?? NaN)];
  } finally {
    tf.dispose([norms, means]);
  }
}

function denseLayers(model: LayersModel): DenseFields[] {
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw invalid(
      `The model has ${model.inputs.length} inputs and ${model.outputs.length} outputs; it needs one each.`,
    );
  const names = model.layers.map((layer) => layer.getClassName());
  const other = names.find((name) => name !== 'Dense' && !PASSING.has(name));
  if (other !== undefined)
    throw invalid(`Exact norms are known for dense layers, and the model has a ${other}.`);
  const dense = model.layers.filter((layer) => layer.getClassName() === 'Dense');
  if (dense.some((layer) => !layer.trainable)) throw invalid('A dense layer of the model is frozen.');
  // Kernel, bias and activation are protected there.
  return dense as unknown as DenseFields[];
}

const invalid = (message: string): TrainingError =>
  new TrainingError('invalidOptions', message, {
    hint: 'Measure its noise in halves: ask for `gradient` in the loop.',
  });

function at(tensors: readonly Tensor[], index: number): Tensor {
  const tensor = tensors[index];
  if (!tensor) throw new Error('unreachable: each dense layer has inputs and errors');
  return tensor;
}
