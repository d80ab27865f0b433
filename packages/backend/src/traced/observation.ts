import type { Tensor, Tf, Variable } from '../tf.ts';
import type { NativeBackend } from './native-backend.ts';
import { programOf, type Program } from './program.ts';
import { record } from './recorder.ts';
import { tidyAll } from './tensor-work.ts';

/** Work that was done, with what it asked TensorFlow for. */
export interface Observation {
  /** The caller's to dispose. */
  readonly results: readonly (Tensor | null)[];
  /** Why there is no program, or the program, whose outputs are the results and then the values assigned. */
  readonly program: Program | string;
  /** Handles of the inputs before, and of the outputs. */
  readonly inputIds: readonly number[];
  readonly outputIds: readonly number[];
  /** Inputs that it assigned to. */
  readonly assigned: readonly number[];
  /** True where it made variables, as the first update of an optimizer does. */
  readonly madeVariables: boolean;
  readonly peakBytes: number;
}

/** @throws what the work throws */
export function observe(
  tf: Pick<Tf, 'engine' | 'tidy'>,
  backend: NativeBackend,
  work: { readonly inputs: readonly Tensor[]; compute(): readonly (Tensor | null)[] },
): Observation {
  const { inputs } = work;
  // Uploaded now, so that a look at their values cannot go past the binding.
  const inputIds = backend.getInputTensorIds(inputs);
  const before = variableValues(tf);
  const recording = record(backend, () => tidyAll(tf.tidy, () => work.compute()));
  const after = variableValues(tf);
  const changed = [...before].filter(([variable, value]) => after.get(variable) !== value);
  const indices = changed.map(([variable]) => inputs.indexOf(variable));
  const assigned = indices.filter((index) => index >= 0).sort((a, b) => a - b);
  const results = recording.result;
  const outputs = [
    ...results.filter((tensor) => tensor !== null),
    ...assigned.flatMap((index) => inputs[index] ?? []),
  ];
  const outputIds = backend.getInputTensorIds(outputs);
  const program = indices.includes(-1)
    ? 'it assigns to a variable that is not of the model'
    : programOf(recording, { inputIds, outputIds });
  const madeVariables = after.size > before.size;
  const { peakBytes } = recording;
  return { results, program, inputIds, outputIds, assigned, madeVariables, peakBytes };
}

/** The variables that TensorFlow.js knows, with the values that they have at the moment. */
const variableValues = (tf: Pick<Tf, 'engine'>): ReadonlyMap<Tensor, object> =>
  new Map(Object.values(tf.engine().registeredVariables).map((variable) => [variable, variable.dataId]));

/** Holds on to the values that variables have at the moment. They are not copied. */
export class VariableSnapshot {
  readonly #values: readonly { readonly variable: Variable; readonly value: Tensor }[];

  constructor(tensors: readonly Tensor[]) {
    this.#values = tensors.filter(isVariable).map((variable) => ({ variable, value: variable.clone() }));
  }

  restore(): void {
    for (const { variable, value } of this.#values)
      if (variable.dataId !== value.dataId) variable.assign(value);
  }

  release(): void {
    for (const { value } of this.#values) value.dispose();
  }
}

const isVariable = (tensor: Tensor): tensor is Variable => 'trainable' in tensor;
