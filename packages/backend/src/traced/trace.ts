import type { Tensor, Variable } from '../tf.ts';
import { agreement, type Agreement } from './agreement.ts';
import type { Graph } from './graph.ts';
import type { NativeBackend, OutputInfo } from './native-backend.ts';
import { FLOAT32, holdsFor, type Program, type Roles } from './program.ts';
import type { ConstantTensor } from './recorder.ts';
import type { SizedSample, SizeLaws } from './size-laws.ts';
import type { TensorWork } from './tensor-work.ts';

/** What a trace is made of. */
export interface TraceParts {
  /** As it was recorded: at this number of examples, or where it was foreseen at another. */
  readonly program: Program;
  /** Constants that are none. */
  readonly roles: Roles;
  /** For each result the output that it is, null for none. */
  readonly results: readonly (number | null)[];
  /** Inputs that the work assigns to; their new values are the outputs after the results. */
  readonly assigned: readonly number[];
  /** What is given for the constants that follow from the number of examples. */
  readonly sized: readonly ConstantTensor[];
  /** The same at the sizes that the graph was made from; absent where it is for one size only. */
  readonly samples?: readonly [SizedSample, SizedSample] | undefined;
  /** How it follows from the number of examples, once that has held for a size beyond them. */
  readonly laws?: SizeLaws | undefined;
  /** True where it is what the laws say, and the work itself was not done at this size. */
  readonly isForeseen?: boolean;
}

/** Handles of inputs and of outputs that are known to be right, and the numbers at the time. */
export interface TraceCheck {
  readonly inputIds: readonly number[];
  readonly rightIds: readonly number[];
  readonly numbers: readonly number[];
  /** As in {@link agreement}. */
  readonly tolerance: number;
}

/** A piece of work as one run of a graph. */
export class Trace {
  readonly parts: TraceParts;
  readonly graph: Graph;
  readonly #backend: NativeBackend;
  #isDeleted = false;

  constructor(backend: NativeBackend, graph: Graph, parts: TraceParts) {
    this.#backend = backend;
    this.parts = parts;
    this.graph = graph.share();
  }

  /** Whether the inputs, and what was drawn when it was recorded, give the values that are known to be right. */
  check({ inputIds, rightIds, numbers, tolerance }: TraceCheck): Agreement {
    const { binding } = this.#backend;
    const { program, roles } = this.parts;
    const drawnIds = program.constants
      .filter((_, index) => roles.drawn.includes(index))
      .map(({ shape, dtype, values }) => binding.createTensor(shape, dtype, values));
    let tried: readonly OutputInfo[] = [];
    try {
      tried = this.#compute(inputIds, numbers, drawnIds);
      const verdicts = tried.map(({ id }, i) => {
        const right = binding.tensorDataSync(rightIds[i] ?? NaN);
        return agreement(right, binding.tensorDataSync(id), tolerance);
      });
      return verdicts.find((verdict) => verdict !== 'agree') ?? 'agree';
    } finally {
      for (const id of [...drawnIds, ...tried.map((output) => output.id)]) binding.deleteTensor(id);
    }
  }

  /** Whether work that was done kernel by kernel, with these numbers, is what the trace stands for. */
  standsFor(program: Program | string, numbers: readonly number[]): boolean {
    return (
      typeof program !== 'string' &&
      holdsFor({ ...this.parts.roles, program: this.parts.program }, program, numbers)
    );
  }

  /** @throws where the graph fails; nothing was assigned then */
  run({ inputs, numbers = [], replayed }: TensorWork): readonly (Tensor | null)[] {
    const outputs = this.#compute(this.#backend.getInputTensorIds(inputs), numbers);
    const tensors = outputs.map((output) => this.#backend.createOutputTensor(output));
    const { results, assigned } = this.parts;
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

  /** Frees it; safe to call twice. */
  delete(): void {
    if (this.#isDeleted) return;
    this.#isDeleted = true;
    this.graph.release();
  }

  #compute(
    inputIds: readonly number[],
    numbers: readonly number[],
    drawnIds?: readonly number[],
  ): OutputInfo[] {
    const { binding } = this.#backend;
    const { roles, program, sized } = this.parts;
    const fed = Array.from(roles.fed, ([constant, { number, sign }]) => ({
      shape: program.constants[constant]?.shape ?? [],
      dtype: FLOAT32,
      values: Float32Array.of(sign * (numbers[number] ?? NaN)),
    }));
    const givenIds = [...fed, ...sized].map(({ shape, dtype, values }) =>
      binding.createTensor(shape, dtype, values),
    );
    try {
      return this.graph.run([...inputIds, ...givenIds], drawnIds);
    } finally {
      for (const id of givenIds) binding.deleteTensor(id);
    }
  }
}
