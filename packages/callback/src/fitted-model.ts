import type { CompiledOptimizer } from '@batchwise/backend';
import type { History, LayersModel, NamedTensorMap, Tensor } from './tf.ts';

/** Inputs or targets as `fit` takes them. */
export type FitData = Tensor | readonly Tensor[] | NamedTensorMap;

/** Gradients as an optimizer gets them, one per trainable weight in the model's order. */
export type NamedGradients = readonly { readonly name: string; readonly tensor: Tensor | null | undefined }[];

/** An optimizer as `fit` and `fitDataset` use it. */
export interface FittedOptimizer extends Omit<CompiledOptimizer, 'applyGradients'> {
  minimize(loss: () => Tensor, returnCost?: boolean, variables?: unknown): Tensor | null;
  applyGradients(gradients: NamedGradients): void;
}

/** An input or output of a model; the first dimension counts examples and is null. */
export interface Slot {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}

/**
 * A compiled LayersModel while it is fitted: for a Sequential the model inside, as its callbacks get it. Some of these
 * members are protected in the types of TensorFlow.js; they are the same from 4.10 to 4.22.
 */
export interface FittedModel {
  readonly inputs: readonly { readonly shape: readonly (number | null)[] }[];
  readonly outputs: readonly { readonly shape: readonly (number | null)[] }[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly optimizer: FittedOptimizer;
  history: History;
  stopTraining: boolean;
  isTraining: boolean;
  getDedupedMetricsNames(): string[];
  checkTrainableWeightsConsistency(): void;
  /** Checks shapes and names with the messages of `fit`; rank 1 becomes [examples, 1], in a new tensor. */
  standardizeUserDataXY(x: FitData, y: FitData, checkBatchAxis: boolean): [Tensor[], Tensor[]];
}

/** What a model takes and gives. */
export interface Slots {
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
}

/** The inputs and outputs under the names by which `fit` and `fitDataset` take them. */
export const slotsOf = ({ inputs, outputs, inputNames, outputNames }: FittedModel): Slots => ({
  inputs: inputs.map(({ shape }, i) => ({ name: inputNames[i] ?? '', shape })),
  outputs: outputs.map(({ shape }, i) => ({ name: outputNames[i] ?? '', shape })),
});

/** The model that `fit` works on, behind the types. */
export function fittedModel(model: LayersModel): FittedModel {
  const { model: inner = model } = model as LayersModel & { readonly model?: LayersModel };
  return inner as unknown as FittedModel;
}
