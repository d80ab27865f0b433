import { TrainingError } from '@batchwise/core';
import type { LayersModel, Scalar, Tensor, Variable } from './tf.ts';

type LossOrMetric = (target: Tensor, output: Tensor) => Tensor;

/** An optimizer as far as it is used here; every one that TensorFlow.js ships fits. */
export interface CompiledOptimizer {
  applyGradients(gradients: readonly { readonly name: string; readonly tensor: Tensor | null }[]): void;
  getClassName?(): string;
  /** SGD and momentum: the rate is kept in a tensor, which only this renews. */
  setLearningRate?(learningRate: number): void;
  /** Protected in the types; Adam, Adamax, RMSProp, Adagrad and Adadelta read it at each update. */
  learningRate?: number;
  /** Protected in the types; Adam (the first two) and RMSProp (`decay`) read them at each update. */
  beta1?: number;
  beta2?: number;
  decay?: number;
  epsilon?: number;
  /** Protected in the types; of RMSProp, one for each weight once there was an update. */
  readonly momentum?: number;
  readonly accumulatedMoments?: readonly { readonly variable: Variable }[];
  /** Counts the updates; protected in the types, as is the count. */
  incrementIterations?(): void;
  iterations_?: number;
}

/** What `compile` leaves in a LayersModel. These fields are public or protected there, and stable since 1.0. */
interface CompiledFields {
  readonly lossFunctions?: readonly LossOrMetric[];
  readonly metricsTensors?: readonly (readonly [LossOrMetric, number])[];
  readonly metricsNames?: readonly string[];
  getDedupedMetricsNames?(): string[];
  readonly optimizer?: CompiledOptimizer;
  readonly trainableWeights: readonly { read(): Variable }[];
  readonly weights: readonly { read(): Variable }[];
  /** A Sequential model keeps the compiled model inside. */
  readonly model?: CompiledFields;
  calculateLosses?(): Scalar[];
}

/** A compiled model, taken apart into what a training step needs. */
export interface CompiledModel {
  readonly optimizer: CompiledOptimizer;
  /** Trainable weights in the model's order: optimizers find their slots by position. */
  readonly variables: readonly Variable[];
  /** Those and the others: the moving averages of batch normalisation. */
  readonly weights: readonly Variable[];
  /** One per output; each answers a loss per example, or their mean. */
  readonly losses: readonly LossOrMetric[];
  /** Names as the model gives them, with the index of the output that each looks at. */
  readonly metrics: readonly {
    readonly name: string;
    readonly metric: LossOrMetric;
    readonly output: number;
  }[];
  /** Forward pass; `training` turns dropout and batch statistics on. The caller owns the outputs. */
  outputs(inputs: readonly Tensor[], training: boolean): readonly Tensor[];
  /** Penalties of weight regularizers. */
  penalties(): readonly Scalar[];
}

/**
 * Opens a compiled LayersModel or Sequential.
 * @throws TrainingError `invalidOptions` when it is not compiled, or has nothing to train
 */
export function openModel(model: LayersModel): CompiledModel {
  // The one place that looks behind the types of TensorFlow.js.
  const outer = model as unknown as CompiledFields;
  const inner = outer.lossFunctions ? outer : (outer.model ?? outer);
  const { lossFunctions, metricsTensors = [] } = inner;
  const optimizer = outer.optimizer ?? inner.optimizer;
  if (!lossFunctions || !optimizer)
    throw new TrainingError('invalidOptions', `The model "${model.name}" is not compiled.`, {
      hint: 'Call model.compile({ optimizer, loss, metrics }) first.',
    });
  const metricsNames = inner.getDedupedMetricsNames?.() ?? inner.metricsNames ?? [];
  const variables = outer.trainableWeights.map((weight) => weight.read());
  if (variables.length === 0)
    throw new TrainingError('invalidOptions', `The model "${model.name}" has no trainable weights.`, {
      hint: 'Set trainable on at least one layer, and build the model.',
    });
  return {
    optimizer,
    variables,
    weights: outer.weights.map((weight) => weight.read()),
    losses: lossFunctions,
    metrics: metricsTensors.map(([metric, output], i) => ({
      // The first name is that of the whole loss.
      name: metricsNames[i + 1] ?? `metric${i + 1}`,
      metric,
      output,
    })),
    outputs: (inputs, training) => {
      const outputs = model.call([...inputs], { training });
      return Array.isArray(outputs) ? outputs : [outputs];
    },
    penalties: () => inner.calculateLosses?.() ?? [],
  };
}
