import type { BackendSnapshot } from '@batchwise/core';
import type { CompiledModel } from './compiled-model.ts';
import type { Tensor, Tf, Variable } from './tf.ts';

/** The values of one tensor in host memory. */
interface HostTensor {
  readonly values: Awaited<ReturnType<Tensor['data']>>;
  readonly shape: readonly number[];
  readonly dtype: Tensor['dtype'];
}

/** All that training changes, in host memory, where neither an update nor a lost device can reach it. */
export interface HostCopy {
  /** Trained weights and running statistics, in the model's order. */
  readonly weights: readonly HostTensor[];
  /** The optimizer's single variables, by its own fields. */
  readonly singles: Readonly<Record<string, HostTensor>>;
  /** Its lists with a slot for each weight. */
  readonly slots: Readonly<Record<string, readonly HostTensor[]>>;
  readonly iterations: number | undefined;
}

/** An optimizer's memory of one weight. */
interface Slot {
  readonly variable: Variable;
}

/** Copies a model's weights and its optimizer's memory to host memory. */
export async function copyToHost({ allVariables, optimizer }: CompiledModel): Promise<HostCopy> {
  const singles: Record<string, HostTensor> = {};
  const slots: Record<string, readonly HostTensor[]> = {};
  // `getWeights` would be the public way, but Adamax has none, and it leaves out what Adam makes of β1 and β2.
  for (const [field, value] of Object.entries(optimizer)) {
    if (isVariable(value)) singles[field] = await copyOf(value);
    else if (isSlots(value)) slots[field] = await Promise.all(value.map(({ variable }) => copyOf(variable)));
  }
  return {
    weights: await Promise.all(allVariables.map(copyOf)),
    singles,
    slots,
    iterations: optimizer.iterations_,
  };
}

/** Writes a copy back into the model and the optimizer that it was taken from. */
export function copyToDevice(tf: Tf, { allVariables, optimizer }: CompiledModel, copy: HostCopy): void {
  const write = (variable: Variable, { values, shape, dtype }: HostTensor): void =>
    tf.tidy(() => variable.assign(tf.tensor(values, [...shape], dtype)));
  allVariables.forEach((variable, i) => {
    const weight = copy.weights[i];
    if (weight) write(variable, weight);
  });
  for (const [field, value] of Object.entries(optimizer)) {
    const single = copy.singles[field];
    if (isVariable(value) && single) write(value, single);
    const kept = copy.slots[field];
    if (!isSlots(value) || !kept) continue;
    // Slots are made by the first update; those that came after the copy begin anew.
    for (const { variable } of value.splice(kept.length)) variable.dispose();
    value.forEach(({ variable }, i) => {
      const slot = kept[i];
      if (slot) write(variable, slot);
    });
  }
  if (copy.iterations !== undefined) optimizer.iterations_ = copy.iterations;
}

/** A copy of the model and of its optimizer to go back to. */
export async function takeSnapshot(tf: Tf, model: CompiledModel): Promise<BackendSnapshot> {
  let copy: HostCopy | undefined = await copyToHost(model);
  return {
    restore() {
      if (copy) copyToDevice(tf, model, copy);
    },
    dispose() {
      copy = undefined;
    },
  };
}

async function copyOf(variable: Variable): Promise<HostTensor> {
  const { shape, dtype } = variable;
  // On the cpu engine the data are the engine's own.
  return { values: (await variable.data()).slice(), shape, dtype };
}

const isVariable = (value: unknown): value is Variable =>
  typeof value === 'object' && value !== null && 'assign' in value && 'dataId' in value;

const isSlots = (value: unknown): value is Slot[] =>
  Array.isArray(value) &&
  value.every((entry: unknown) => typeof entry === 'object' && entry !== null && 'variable' in entry);
