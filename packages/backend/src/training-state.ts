import type { CompiledModel } from './compiled-model.ts';
import type { Tensor, Tf, Variable } from './tf.ts';

/** What an optimizer keeps per weight. */
interface Slot {
  readonly variable: Variable;
}

/** The fields of an optimizer of TensorFlow.js: variables, lists of slots, tensors and numbers. */
type Fields = Record<string, unknown>;

/** Adam's bias correction depends on it; the learning rate is left to its owner. */
const COUNTER = 'iterations_';

/** Data that is held on the device: it costs nothing until the variable is written. */
export interface Held {
  release(): void;
  /** Takes every variable back; slots that came since are dropped. */
  restore(): void;
}

/** The same in host memory. */
export interface HostCopy {
  readonly variables: readonly { readonly variable: Variable; readonly values: Float32Array | Int32Array }[];
  readonly tensors: readonly {
    readonly field: string;
    readonly values: Float32Array;
    readonly shape: number[];
  }[];
  readonly slots: SlotCounts;
}

type SlotCounts = { readonly lengths: ReadonlyMap<string, number>; readonly counter: unknown };

/** All that training writes: the weights of the model, those that are not trained too, and what the optimizer keeps. */
export class TrainingState {
  readonly weights: readonly Variable[];
  readonly #tf: Tf;
  readonly #statistics: readonly Variable[];
  readonly #optimizer: Fields;

  constructor(tf: Tf, { weights, variables, optimizer }: CompiledModel) {
    this.#tf = tf;
    this.weights = weights;
    this.#statistics = weights.filter((weight) => !variables.includes(weight));
    this.#optimizer = optimizer as unknown as Fields;
  }

  /** Holds what a forward pass writes: the moving averages of batch normalisation. */
  holdStatistics(): Held {
    return this.#hold(this.#statistics);
  }

  /** Holds what an update writes. */
  holdAll(): Held {
    return this.#hold(this.#variables());
  }

  /** Reads everything as it is now; what is queued on the device afterwards does not show. */
  async read(): Promise<HostCopy> {
    const variables = this.#variables().map((variable) => ({ variable, copy: variable.clone() }));
    const tensors = this.#tensors().map(([field, tensor]) => ({ field, copy: tensor.clone() }));
    const slots = this.#slotCounts();
    try {
      const [variableValues, tensorValues] = await Promise.all([
        Promise.all(variables.map(({ copy }) => copy.data<'float32'>())),
        Promise.all(tensors.map(({ copy }) => copy.data<'float32'>())),
      ]);
      return {
        variables: variables.map(({ variable }, i) => ({ variable, values: variableValues[i] ?? NOTHING })),
        tensors: tensors.map(({ field, copy }, i) => ({
          field,
          values: tensorValues[i] ?? NOTHING,
          shape: copy.shape,
        })),
        slots,
      };
    } finally {
      this.#tf.dispose([...variables, ...tensors].map(({ copy }) => copy));
    }
  }

  /** Writes a copy to the present device. */
  write({ variables, tensors, slots }: HostCopy): void {
    this.#dropNewSlots(slots);
    for (const { variable, values } of variables) {
      const fresh = this.#tf.tensor(values, variable.shape, variable.dtype);
      variable.assign(fresh);
      fresh.dispose();
    }
    for (const { field, values, shape } of tensors) {
      const before = this.#optimizer[field];
      this.#optimizer[field] = this.#tf.keep(this.#tf.tensor(values, shape));
      if (isTensor(before)) before.dispose();
    }
  }

  #hold(variables: readonly Variable[]): Held {
    const copies = variables.map((variable) => ({ variable, copy: variable.clone() }));
    const slots = this.#slotCounts();
    const release = (): void => this.#tf.dispose(copies.map(({ copy }) => copy));
    return {
      release,
      restore: () => {
        for (const { variable, copy } of copies) variable.assign(copy);
        release();
        this.#dropNewSlots(slots);
      },
    };
  }

  #variables(): readonly Variable[] {
    const kept = Object.values(this.#optimizer).flatMap((value) =>
      isVariable(value) ? [value] : slotsOf(value).map(({ variable }) => variable),
    );
    return [...this.weights, ...kept];
  }

  /** Constants such as the momentum, which the optimizer made once and never writes. */
  #tensors(): readonly (readonly [string, Tensor])[] {
    return Object.entries(this.#optimizer).flatMap(([field, value]) =>
      isTensor(value) && !isVariable(value) && !value.isDisposed ? [[field, value] as const] : [],
    );
  }

  #slotCounts(): SlotCounts {
    const entries = Object.entries(this.#optimizer);
    const lengths = entries.flatMap(([field, value]) =>
      Array.isArray(value) ? [[field, value.length] as const] : [],
    );
    return { lengths: new Map(lengths), counter: this.#optimizer[COUNTER] };
  }

  #dropNewSlots({ lengths, counter }: SlotCounts): void {
    for (const [field, length] of lengths) {
      const list = this.#optimizer[field];
      if (!Array.isArray(list)) continue;
      for (const { variable } of slotsOf(list.splice(length))) variable.dispose();
    }
    this.#optimizer[COUNTER] = counter;
  }
}

const NOTHING = new Float32Array(0);

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value && 'isDisposed' in value;

const isVariable = (value: unknown): value is Variable => isTensor(value) && 'trainable' in value;

const slotsOf = (value: unknown): readonly Slot[] =>
  Array.isArray(value) ? value.filter((item: Partial<Slot> | null) => isVariable(item?.variable)) : [];
