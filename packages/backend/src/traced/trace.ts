import type { Tensor, Variable } from '../tf.ts';
import { agreement, type Agreement } from './agreement.ts';
import { Graph } from './graph.ts';
import type { NativeBackend, OutputInfo } from './native-backend.ts';
import { FLOAT32, holdsFor, type Fed, type Program } from './program.ts';
import type { TensorWork } from './tensor-work.ts';

/** What a trace is made of. */
export interface TraceParts {
  readonly program: Program;
  /** Tensors of the same types and shapes as those that will go in. */
  readonly inputs: readonly Tensor[];
  /** Constants that are numbers of the caller's. */
  readonly fed: ReadonlyMap<number, Fed>;
  /** For each result the output that it is, null for none. */
  readonly results: readonly (number | null)[];
  /** Inputs that the work assigns to; their new values are the outputs after the results. */
  readonly assigned: readonly number[];
  /** Most bytes that the work had in tensors kernel by kernel. */
  readonly peakBytes: number;
}

/** A piece of work as one run of a graph. */
export class Trace {
  readonly peakBytes: number;
  readonly #backend: NativeBackend;
  readonly #parts: Omit<TraceParts, 'inputs'>;
  readonly #graph: Graph;

  /** @throws where TensorFlow does not take the graph */
  constructor(backend: NativeBackend, { inputs, ...parts }: TraceParts) {
    this.peakBytes = parts.peakBytes;
    this.#backend = backend;
    this.#parts = parts;
    this.#graph = new Graph(backend, parts.program, {
      inputs: inputs.map(({ dtype, shape }) => ({ dtype: TYPES[dtype], shape })),
      fed: [...parts.fed.keys()],
    });
  }

  /** Whether it gives the values in `right`, one handle per output, from those in `inputIds`. */
  check(
    inputIds: readonly number[],
    {
      numbers,
      tolerance,
      right,
    }: { numbers: readonly number[]; tolerance: number; right: readonly number[] },
  ): Agreement {
    const { binding } = this.#backend;
    const tried = this.#compute(inputIds, numbers);
    try {
      const verdicts = right.map((id, i) =>
        agreement(binding.tensorDataSync(id), binding.tensorDataSync(tried[i]?.id ?? NaN), tolerance),
      );
      return verdicts.find((verdict) => verdict !== 'agree') ?? 'agree';
    } finally {
      for (const { id } of tried) binding.deleteTensor(id);
    }
  }

  /** Whether work that was done kernel by kernel, with these numbers, is what the trace stands for. */
  standsFor(program: Program | string, numbers: readonly number[]): boolean {
    return typeof program !== 'string' && holdsFor(this.#parts, program, numbers);
  }

  /** @throws where the graph fails; nothing was assigned then */
  run({ inputs, numbers = [], replayed }: TensorWork): readonly (Tensor | null)[] {
    const outputs = this.#compute(this.#backend.getInputTensorIds(inputs), numbers);
    const tensors = outputs.map((output) => this.#backend.createOutputTensor(output));
    const { results, assigned } = this.#parts;
    const firstAssigned = tensors.length - assigned.length;
    assigned.forEach((input, i) => {
      const [variable, value] = [inputs[input], tensors[firstAssigned + i]];
      if (!variable || !value) return;
      (variable as Variable).assign(value);
      value.dispose();
    });
    replayed?.();
    return results.map((output) => (output === null ? null : (tensors[output] ?? null)));
  }

  delete(): void {
    this.#graph.delete();
  }

  #compute(inputIds: readonly number[], numbers: readonly number[]): OutputInfo[] {
    const { binding } = this.#backend;
    const { fed, program } = this.#parts;
    const fedIds = Array.from(fed, ([constant, { number, sign }]) => {
      const value = Float32Array.of(sign * (numbers[number] ?? NaN));
      return binding.createTensor(program.constants[constant]?.shape ?? [], FLOAT32, value);
    });
    try {
      return this.#graph.run([...inputIds, ...fedIds]);
    } finally {
      for (const id of fedIds) binding.deleteTensor(id);
    }
  }
}

/** TensorFlow's numbers of the types that TensorFlow.js has. */
const TYPES: Readonly<Record<Tensor['dtype'], number>> = {
  float32: FLOAT32,
  int32: 3,
  string: 7,
  complex64: 8,
  bool: 10,
};
