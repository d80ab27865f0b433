import { valuesIn } from '../values-in.ts';
import type { Binding, BindingAttribute, NativeBackend, OutputInfo, Values } from './native-backend.ts';

/** An attribute in words instead of the binding's numbers. */
export interface Attribute {
  readonly name: string;
  readonly kind: 'type' | 'int' | 'float' | 'bool' | 'string' | 'shape';
  readonly value: unknown;
}

/** One operation that TensorFlow was asked for. */
export interface RecordedOperation {
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly inputIds: readonly number[];
  readonly outputs: readonly OutputInfo[];
}

/** Values that came from JavaScript. One value stands for a whole shape of the same. */
export interface ConstantTensor {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly values: Values;
}

/** All that TensorFlow was asked for in one piece of work. */
export interface Recording<T> {
  readonly result: T;
  readonly operations: readonly RecordedOperation[];
  /** By handle. */
  readonly constants: ReadonlyMap<number, ConstantTensor>;
  /** Why no graph can be made of it, where that shows already. */
  readonly obstacle: string | undefined;
}

const LOOKED = 'it reads values in JavaScript on the way';

/** Runs `work` as it is, and writes down what it asks of TensorFlow. The binding is itself again afterwards. */
export function record<T>(backend: NativeBackend, work: () => T): Recording<T> {
  const { binding } = backend;
  const tape = new Tape(binding);
  backend.binding = tape.binding;
  try {
    return tape.recording(work());
  } finally {
    backend.binding = binding;
  }
}

class Tape {
  /** The real one with four methods that also write down. */
  readonly binding: Binding;
  readonly #operations: RecordedOperation[] = [];
  readonly #constants = new Map<number, ConstantTensor>();
  /** Handles whose values were looked at, once for each time. */
  readonly #looks: number[] = [];
  readonly #kinds: ReadonlyMap<number, Attribute['kind']>;
  #obstacle: string | undefined;

  constructor(binding: Binding) {
    this.#kinds = new Map([
      [binding.TF_ATTR_TYPE, 'type'],
      [binding.TF_ATTR_INT, 'int'],
      [binding.TF_ATTR_FLOAT, 'float'],
      [binding.TF_ATTR_BOOL, 'bool'],
      [binding.TF_ATTR_STRING, 'string'],
      [binding.TF_ATTR_SHAPE, 'shape'],
    ]);
    this.binding = Object.create(binding, this.#watching(binding)) as Binding;
  }

  recording<T>(result: T): Recording<T> {
    return {
      result,
      operations: this.#operations,
      constants: this.#constants,
      obstacle: this.#obstacle ?? (this.#looks.length > 0 ? LOOKED : undefined),
    };
  }

  #watching(real: Binding): { [Method in keyof Binding]?: { value: Binding[Method] } } {
    return {
      executeOp: {
        value: (name, attributes, ...[inputIds, count]) => {
          const outputs = real.executeOp(name, attributes, inputIds, count);
          this.#operations.push({
            name,
            attributes: attributes.map((attribute) => this.#inWords(attribute)),
            inputIds: [...inputIds],
            outputs,
          });
          if (name === 'GatherV2') this.#forgetLook(inputIds[1]);
          return outputs;
        },
      },
      createTensor: {
        value: (shape, dtype, values) => {
          const id = real.createTensor(shape, dtype, values);
          if (ArrayBuffer.isView(values))
            this.#constants.set(id, { dtype, shape: [...shape], values: kept(values, shape) });
          else this.#obstacle ??= 'it makes tensors of strings';
          return id;
        },
      },
      tensorDataSync: {
        value: (id) => {
          this.#looks.push(id);
          return real.tensorDataSync(id);
        },
      },
      runSavedModel: {
        value: (session, inputIds, ...names) => {
          this.#obstacle ??= 'it runs a saved model';
          return real.runSavedModel(session, inputIds, ...names);
        },
      },
    };
  }

  #inWords({ name, type, value }: BindingAttribute): Attribute {
    const kind = this.#kinds.get(type);
    if (kind === undefined) this.#obstacle ??= `attribute ${name} is of a kind that is not known here`;
    return { name, kind: kind ?? 'int', value: Array.isArray(value) ? [...(value as unknown[])] : value };
  }

  /** TensorFlow.js looks at indices before it gathers, to refuse those out of range. TensorFlow refuses them too. */
  #forgetLook(id: number | undefined): void {
    const index = this.#looks.lastIndexOf(id ?? NaN);
    if (index >= 0) this.#looks.splice(index, 1);
  }
}

/** Gradients are full of ones and zeros; more than so many are kept as one. */
const MANY = 1024;

/** A copy: the memory is the caller's, who may use it again. */
function kept(values: Values, shape: readonly number[]): Values {
  const isMany = values.length > MANY && values.length === valuesIn(shape);
  return values.slice(0, isMany && values.every((value) => value === values[0]) ? 1 : undefined);
}
