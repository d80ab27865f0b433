import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayersTf } from '../../src/node/index.ts';
import type { Binding, NativeBackend, OutputInfo, Values } from '../../src/traced/native-backend.ts';
import type { Tensor } from '../../src/tf.ts';

interface Held {
  readonly shape: readonly number[];
  readonly values: Values;
}

/** A few operations on numbers; a single one goes with as many as there are. */
const OPERATIONS: Readonly<Record<string, (...values: number[]) => number>> = {
  Add: (a = NaN, b = NaN) => a + b,
  Mul: (a = NaN, b = NaN) => a * b,
  Floor: (a = NaN) => Math.floor(a),
  Identity: (a = NaN) => a,
  GatherV2: (a = NaN) => a,
};

const numbersIn = (text: string, pattern: RegExp): number[] =>
  [...text.matchAll(pattern)].map(([, number]) => Number(number));

/**
 * Stands in for TensorFlow's binding: a handful of operations on float32, and saved models that are read back from
 * their text. Tensors are those of the cpu engine.
 */
export class FakeNative implements NativeBackend {
  readonly isUsingGpuDevice = false;
  /** What it was asked for, in order; a run of a graph is `run`. */
  readonly asked: string[] = [];
  /** Graphs that are loaded. */
  readonly graphs = new Map<number, string>();
  /** Thrown by the next run of a graph, or instead of loading one. */
  failure: { readonly at: 'load' | 'run'; readonly error: Error } | undefined;
  /** Added to what graphs compute. */
  error = 0;
  /** Handles of values from JavaScript that no tensor of TensorFlow.js owns. */
  readonly loose = new Set<number>();
  binding: Binding;
  readonly #tf: LayersTf;
  readonly #held = new Map<number, Held>();
  readonly #ids = new WeakMap<object, number>();
  #last = 0;

  constructor(tf: LayersTf) {
    this.#tf = tf;
    this.binding = {
      TF_ATTR_STRING: 0,
      TF_ATTR_INT: 1,
      TF_ATTR_FLOAT: 2,
      TF_ATTR_BOOL: 3,
      TF_ATTR_TYPE: 4,
      TF_ATTR_SHAPE: 5,
      createTensor: (shape, _dtype, values) => {
        const id = this.#hold({ shape, values: (values as Values).slice() });
        this.loose.add(id);
        return id;
      },
      deleteTensor: (id) => {
        this.#held.delete(id);
        this.loose.delete(id);
      },
      tensorDataSync: (id) => this.#valuesOf(id).values,
      executeOp: (name, _attributes, ...[inputIds]) => {
        this.asked.push(name);
        return [this.#output(this.#compute(name, inputIds))];
      },
      loadSavedModel: (folder) => {
        if (this.failure?.at === 'load') throw this.failure.error;
        this.graphs.set((this.#last += 1), readFileSync(join(folder, 'saved_model.pbtxt'), 'utf8'));
        return this.#last;
      },
      deleteSavedModel: (session) => void this.graphs.delete(session),
      runSavedModel: (session, inputIds, ...[inputs, outputs]) => {
        this.asked.push('run');
        if (this.failure?.at === 'run') throw this.failure.error;
        return this.#run(this.graphs.get(session) ?? '', {
          given: new Map(inputs.split(',').map((name, i) => [name.replace(':0', ''), inputIds[i] ?? NaN])),
          wanted: outputs.split(',').map((name) => name.replace(':0', '')),
        });
      },
    };
  }

  getInputTensorIds(tensors: readonly Tensor[]): number[] {
    return tensors.map((tensor) => {
      const { dataId, shape } = tensor;
      const id = this.#ids.get(dataId) ?? this.#hold({ shape, values: tensor.dataSync<'float32'>() });
      this.#ids.set(dataId, id);
      return id;
    });
  }

  createOutputTensor({ id, shape }: OutputInfo): Tensor {
    this.loose.delete(id);
    const tensor = this.#tf.tensor(this.#valuesOf(id).values, [...shape]);
    this.#ids.set(tensor.dataId, id);
    return tensor;
  }

  /** A tensor that an operation gives. */
  op(name: string, ...inputs: readonly Tensor[]): Tensor {
    const [output] = this.binding.executeOp(name, [], this.getInputTensorIds(inputs), 1);
    if (!output) throw new Error('one output');
    return this.createOutputTensor(output);
  }

  /** A tensor of values from JavaScript. */
  constant(values: readonly number[], shape: readonly number[] = []): Tensor {
    const id = this.binding.createTensor(shape, 1, Float32Array.from(values));
    return this.createOutputTensor({ id, dtype: 1, shape });
  }

  #hold(held: Held): number {
    this.#held.set((this.#last += 1), held);
    return this.#last;
  }

  #valuesOf(id: number): Held {
    const held = this.#held.get(id);
    if (!held) throw new Error(`There is no handle ${id}.`);
    return held;
  }

  #output(held: Held): OutputInfo {
    return { id: this.#hold(held), dtype: 1, shape: held.shape };
  }

  #compute(name: string, inputIds: readonly number[]): Held {
    const inputs = inputIds.map((id) => this.#valuesOf(id));
    const compute = OPERATIONS[name];
    const longest = inputs.toSorted((a, b) => b.values.length - a.values.length)[0];
    if (!compute || !longest) throw new Error(`Invalid TF_Status: 12: no operation ${name}`);
    const values = Float32Array.from(longest.values, (_, i) =>
      compute(...inputs.map((input) => input.values[input.values.length === 1 ? 0 : i] ?? NaN)),
    );
    return { shape: longest.shape, values };
  }

  /** Nodes stand in the order in which they can be computed. */
  #run(
    text: string,
    { given, wanted }: { given: ReadonlyMap<string, number>; wanted: readonly string[] },
  ): OutputInfo[] {
    const known = new Map(given);
    for (const line of text.split('\n').filter((it) => it.startsWith('node {'))) {
      const [, name = '', operation = ''] = /name: "(\w+)" op: "(\w+)"/.exec(line) ?? [];
      if (known.has(name)) continue;
      const inputs = [...line.matchAll(/input: "(\w+)/g)].map(([, input = '']) => known.get(input) ?? NaN);
      known.set(
        name,
        operation === 'Const' ? this.#constant(line) : this.#hold(this.#made(operation, inputs)),
      );
    }
    return wanted.map((name) => {
      const { shape, values } = this.#valuesOf(known.get(name) ?? NaN);
      return this.#output({ shape, values: Float32Array.from(values, (value) => value + this.error) });
    });
  }

  #made(operation: string, inputs: readonly number[]): Held {
    if (operation !== 'Fill' && operation !== 'RandomUniform') return this.#compute(operation, inputs);
    const [shape = [], value] = inputs.map((id) => [...this.#valuesOf(id).values]);
    const length = shape.reduce((product, side) => product * side, 1);
    return { shape, values: new Float32Array(length).fill(value?.[0] ?? 0.5) };
  }

  #constant(line: string): number {
    const bytes = Uint8Array.from(
      numbersIn(
        line.replaceAll(/\\(\d{3})/g, (_, octal: string) => `<${parseInt(octal, 8)}>`),
        /<(\d+)>/g,
      ),
    );
    const values = line.includes('dtype: 3') ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer);
    return this.#hold({ shape: numbersIn(line, /size: (\d+)/g), values });
  }
}
