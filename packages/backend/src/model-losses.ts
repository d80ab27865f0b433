import { TrainingError } from '@batchwise/core';
import type { CompiledModel } from './compiled-model.ts';
import type { Scalar, Tensor, Tf } from './tf.ts';

/** A batch on the device. */
export interface Uploaded {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  /** One weight per example for each output, or none at all. */
  readonly weights: readonly Tensor[];
}

/** What losses and metrics are of. */
export type Targets = Pick<Uploaded, 'ys'> & Partial<Pick<Uploaded, 'weights'>>;

/** The losses and metrics of a model, given its outputs. */
export class ModelLosses {
  readonly #tf: Pick<Tf, 'add' | 'mean' | 'mul'>;
  readonly #model: Pick<CompiledModel, 'losses' | 'metrics' | 'penalties'>;

  constructor(
    tf: Pick<Tf, 'add' | 'mean' | 'mul'>,
    model: Pick<CompiledModel, 'losses' | 'metrics' | 'penalties'>,
  ) {
    this.#tf = tf;
    this.#model = model;
  }

  /** With the penalties of weight regularizers. */
  training(outputs: readonly Tensor[], examples: Targets): Scalar {
    const loss = this.data(outputs, examples);
    return this.#model.penalties().reduce((sum, penalty) => this.#tf.add(sum, penalty), loss);
  }

  /** The sum over outputs of each one's mean loss per example, as TensorFlow.js defines it. */
  data(outputs: readonly Tensor[], examples: Targets): Scalar {
    const losses = this.#model.losses.map((loss, i) => this.#meanOf(loss, { outputs, examples, output: i }));
    return losses.reduce((sum, loss) => this.#tf.add(sum, loss));
  }

  /** A model of several outputs has the loss of each as its first metrics; only these are weighted. */
  metrics(outputs: readonly Tensor[], examples: Targets): Scalar[] {
    const { losses, metrics } = this.#model;
    const countOfLosses = losses.length > 1 ? losses.length : 0;
    const { ys } = examples;
    return metrics.map(({ metric, output }, i) =>
      this.#meanOf(metric, { outputs, examples: i < countOfLosses ? examples : { ys }, output }),
    );
  }

  #meanOf(
    lossOrMetric: (target: Tensor, output: Tensor) => Tensor,
    at: { outputs: readonly Tensor[]; examples: Targets; output: number },
  ): Scalar {
    const { ys, weights = [] } = at.examples;
    const value = lossOrMetric(nth(ys, at.output, 'target'), nth(at.outputs, at.output, 'output'));
    const weight = weights[at.output];
    return this.#tf.mean<Scalar>(weight ? this.#tf.mul(value, weight) : value);
  }
}

function nth(tensors: readonly Tensor[], index: number, what: 'target' | 'output'): Tensor {
  const tensor = tensors[index];
  if (tensor) return tensor;
  throw new TrainingError(
    'invalidOptions',
    `The model needs ${what} ${index + 1}, but there are ${tensors.length}.`,
    {
      hint: 'Give the batch one ys for each output of the model.',
    },
  );
}
