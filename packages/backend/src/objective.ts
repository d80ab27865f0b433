import { TrainingError } from '@batchwise/core';
import type { CompiledModel } from './compiled-model.ts';
import type { Scalar, Tensor, Tf } from './tf.ts';
import type { Uploaded } from './uploaded.ts';

/** What the outputs of a model are held against, on the device. */
export interface Targets {
  /** One per output. */
  readonly ys: readonly Tensor[];
  /** One per output that is weighted. */
  readonly weights?: readonly Tensor[];
}

/** What a compiled model is trained towards and watched by, as TensorFlow.js defines it. */
export class Objective {
  readonly #tf: Tf;
  readonly #model: CompiledModel;

  constructor(tf: Tf, model: CompiledModel) {
    this.#tf = tf;
    this.#model = model;
  }

  /** The loss, the gradient of each variable, the losses of the examples or null, and the metrics that are wanted. */
  lossAndGradient(
    examples: Uploaded,
    wanted: { readonly exampleLosses: boolean; readonly metrics: boolean },
  ): readonly (Tensor | null)[] {
    const { variables } = this.#model;
    let losses: Tensor | null = null;
    let metrics: readonly Tensor[] = [];
    const loss = () => {
      const outputs = this.#model.outputs(examples.xs, true);
      if (wanted.metrics) metrics = this.metrics(outputs, examples).map((metric) => this.#tf.keep(metric));
      if (wanted.exampleLosses) losses = this.#tf.keep(this.exampleLosses(outputs, examples));
      return this.#trainingLoss(outputs, examples);
    };
    const { value, grads } = this.#tf.variableGrads(loss, [...variables]);
    return [value, ...variables.map(({ name }) => grads[name] ?? null), losses, ...metrics];
  }

  /** The sum over outputs of each one's mean loss per example. */
  dataLoss(outputs: readonly Tensor[], targets: Targets): Scalar {
    const losses = this.#model.losses.map((loss, output) =>
      this.#weightedMean(valuesOf(loss, { outputs, targets, output }), targets.weights?.[output]),
    );
    return losses.reduce((sum, loss) => this.#tf.add(sum, loss));
  }

  /** The loss of each example, shape [examples]; weights and penalties are left out. */
  exampleLosses(outputs: readonly Tensor[], targets: Targets): Tensor {
    const losses = this.#model.losses.map((loss, output) => {
      const values = valuesOf(loss, { outputs, targets, output });
      const [examples = 0] = nth(targets.ys, output, 'target').shape;
      if (values.shape[0] !== examples || values.rank === 0)
        throw new TrainingError(
          'invalidOptions',
          `Loss ${output + 1} of the model has no value per example.`,
          {
            hint: 'Take a loss that keeps the examples apart, or a sampler that does not learn from losses.',
          },
        );
      return this.#tf.mean(this.#tf.reshape(values, [examples, -1]), 1);
    });
    return losses.reduce((sum, loss) => this.#tf.add(sum, loss));
  }

  /** A model of several outputs has the loss of each as its first metrics; only these are weighted. */
  metrics(outputs: readonly Tensor[], targets: Targets): Scalar[] {
    const { losses, metrics } = this.#model;
    const countOfLosses = losses.length > 1 ? losses.length : 0;
    return metrics.map(({ metric, output }, i) =>
      this.#weightedMean(
        valuesOf(metric, { outputs, targets, output }),
        i < countOfLosses ? targets.weights?.[output] : undefined,
      ),
    );
  }

  /** What is differentiated: the loss on the data and the penalties of weight regularizers. */
  #trainingLoss(outputs: readonly Tensor[], targets: Targets): Scalar {
    const loss = this.dataLoss(outputs, targets);
    return this.#model.penalties().reduce((sum, penalty) => this.#tf.add(sum, penalty), loss);
  }

  #weightedMean(values: Tensor, weight: Tensor | undefined): Scalar {
    if (!weight) return this.#tf.mean<Scalar>(values);
    // One weight per example goes for all the steps of its sequence.
    const missing = Array.from({ length: Math.max(0, values.rank - weight.rank) }, () => 1);
    return this.#tf.mean<Scalar>(
      this.#tf.mul(values, this.#tf.reshape(weight, [...weight.shape, ...missing])),
    );
  }
}

function valuesOf(
  lossOrMetric: (target: Tensor, output: Tensor) => Tensor,
  at: { readonly outputs: readonly Tensor[]; readonly targets: Targets; readonly output: number },
): Tensor {
  return lossOrMetric(nth(at.targets.ys, at.output, 'target'), nth(at.outputs, at.output, 'output'));
}

function nth(tensors: readonly Tensor[], index: number, what: 'target' | 'output'): Tensor {
  const tensor = tensors[index];
  if (tensor) return tensor;
  throw new TrainingError(
    'invalidOptions',
    `The model needs ${what} ${index + 1}, but there are ${tensors.length}.`,
    { hint: 'Give the batch one ys for each output of the model.' },
  );
}
