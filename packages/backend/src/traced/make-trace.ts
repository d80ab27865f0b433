import { TensorWatch } from '../tensor-watch.ts';
import type { Tensor, Tf } from '../tf.ts';
import type { InputSpec } from './graph-text.ts';
import { Graph } from './graph.ts';
import type { NativeBackend } from './native-backend.ts';
import { observe, VariableSnapshot, type Observation } from './observation.ts';
import { differingConstants, FLOAT32, INT32, rolesOf, type Program, type Roles } from './program.ts';
import type { ConstantTensor } from './recorder.ts';
import { holdsAt, sizeLaws, tensorsAt, type SizedSample } from './size-laws.ts';
import { differsInSizeOnly, sizedConstants, sizedTensors, type SizedConstants } from './sized.ts';
import type { TensorWork } from './tensor-work.ts';
import { Trace, type TraceParts } from './trace.ts';

/** The results of the work, computed kernel by kernel, and what came of tracing it. */
export interface Made {
  readonly results: readonly (Tensor | null)[];
  /** A trace, or why there is none. */
  readonly outcome: Trace | NoTrace;
}

/** Why there is no trace, and whether there may be one another time. */
export interface NoTrace {
  readonly reason: string;
  readonly tryAgain: boolean;
}

interface Seen {
  readonly work: TensorWork;
  readonly seen: Observation;
  /** A trace of the same family, undefined where there is none. */
  readonly relative: Trace | undefined;
}

/**
 * Does the work kernel by kernel. Where it asks for what a `relative` asks for at another number of examples, and the
 * graph of that gives the same values, that graph serves it too. Otherwise the work is done once more without effect:
 * where TensorFlow was asked for the same both times, and one run of it as a graph gives the same values, that graph
 * is the trace.
 * @throws what the work throws; nothing else can fail
 */
export function makeTrace(
  tf: Tf,
  backend: NativeBackend,
  { work, relative }: Pick<Seen, 'work' | 'relative'>,
): Made {
  const before = new VariableSnapshot(work.inputs);
  try {
    const seen = observe(tf, backend, work);
    return { results: seen.results, outcome: outcomeOf(tf, backend, { work, seen, relative }) };
  } finally {
    before.release();
  }
}

function outcomeOf(tf: Tf, backend: NativeBackend, { work, seen, relative }: Seen): Trace | NoTrace {
  if (seen.madeVariables) return { reason: 'it makes variables', tryAgain: true };
  const { program } = seen;
  if (typeof program === 'string') return { reason: program, tryAgain: true };
  const after = new VariableSnapshot(work.inputs);
  try {
    const { value } = new TensorWatch(tf).run(() => {
      const trace =
        (relative && adopted(backend, { relative, program, seen, examples: work.examples })) ??
        rehearsed(tf, backend, { work, seen, program });
      return trace instanceof Trace ? checked(trace, { work, seen }) : { reason: trace, tryAgain: true };
    });
    return value;
  } catch (error) {
    const [message = ''] = String(error).split('\n');
    return { reason: `it failed as a graph (${message})`, tryAgain: false };
  } finally {
    after.restore();
    after.release();
  }
}

/** The graph of a relative, with what follows from the number of examples; undefined where it does not serve. */
function adopted(
  backend: NativeBackend,
  {
    relative,
    program,
    seen,
    examples,
  }: {
    readonly relative: Trace;
    readonly program: Program;
    readonly seen: Observation;
    readonly examples: number | undefined;
  },
): Trace | undefined {
  const { parts, graph } = relative;
  if (!graph.isLoaded || !graph.isGeneral || !differsInSizeOnly(parts, program)) return undefined;
  const ends = endsOf(seen);
  const sized = sizedTensors(program, parts.roles.sized);
  const isSame =
    String(ends.results) === String(parts.results) && String(ends.assigned) === String(parts.assigned);
  if (!sized || !isSame) return undefined;
  const foresight =
    examples === undefined ? NO_FORESIGHT : foresightWith(parts, { examples, tensors: sized });
  return new Trace(backend, graph, { ...parts, ...foresight, program, sized, isForeseen: false });
}

type Foresight = Pick<TraceParts, 'samples' | 'laws'>;

const NO_FORESIGHT: Foresight = { samples: undefined, laws: undefined };

/** Laws are believed once they held for more examples than the graph was made from, and until a size contradicts them. */
function foresightWith({ samples, laws }: Foresight, seen: SizedSample): Foresight {
  if (laws) return holdsAt(laws, seen) ? { samples, laws } : NO_FORESIGHT;
  const isBeyond = samples?.every(({ examples }) => examples < seen.examples) === true;
  return { samples, laws: isBeyond ? sizeLaws([...samples, seen]) : undefined };
}

/**
 * The trace of work that was not done at its number of examples yet, by the laws that held at three others; undefined where
 * there are none. It is right where nothing but values that follow from that number depends on it.
 */
export function foreseen(
  backend: NativeBackend,
  { work, relative }: Pick<Seen, 'work' | 'relative'>,
): Trace | undefined {
  const { laws } = relative?.parts ?? {};
  if (!relative?.graph.isLoaded || !laws || work.examples === undefined) return undefined;
  const sized = tensorsAt(laws, work.examples);
  return sized && new Trace(backend, relative.graph, { ...relative.parts, sized, isForeseen: true });
}

/** A trace to be checked, or why there is none: the same work with other numbers must ask for the same. */
function rehearsed(
  tf: Tf,
  backend: NativeBackend,
  {
    work,
    seen,
    program,
  }: { readonly work: TensorWork; readonly seen: Observation; readonly program: Program },
): Trace | string {
  const { inputs, numbers = [], rehearsal = { numbers, compute: () => work.compute() } } = work;
  const again = programOnly(tf, backend, { inputs, compute: () => rehearsal.compute() });
  if (typeof again === 'string') return again;
  const differing = differingConstants(program, again);
  if (typeof differing === 'string') return differing;
  const roles = rolesOf([program, again], differing, [numbers, rehearsal.numbers]);
  if (!roles) return 'it computes values in JavaScript anew each time';
  const general = generalised(tf, backend, { work, program, drawn: roles.drawn });
  const { sized, tensors, specs, fewer } = general ?? {
    sized: NONE,
    tensors: [],
    specs: inputs.map(specOf),
    fewer: undefined,
  };
  const all = { ...roles, sized };
  const bytes = writtenBytes(program, all);
  if (bytes > MAX_WRITTEN_BYTES) return `its constants take ${bytes} bytes`;
  const graph = new Graph(backend, program, { inputs: specs, roles: all, isGeneral: general !== undefined });
  const { examples } = work;
  const samples = fewer && examples !== undefined ? ([{ examples, tensors }, fewer] as const) : undefined;
  return new Trace(backend, graph, { program, roles: all, ...endsOf(seen), sized: tensors, samples });
}

const NONE: SizedConstants = new Map();

/** What follows from the number of examples, found by doing the work on fewer; undefined where that tells nothing. */
function generalised(
  tf: Tf,
  backend: NativeBackend,
  {
    work,
    program,
    drawn,
  }: { readonly work: TensorWork; readonly program: Program; readonly drawn: readonly number[] },
):
  | {
      readonly sized: SizedConstants;
      readonly tensors: readonly ConstantTensor[];
      readonly specs: readonly InputSpec[];
      readonly fewer: SizedSample | undefined;
    }
  | undefined {
  const less = work.onFewer?.();
  if (!less) return undefined;
  try {
    const other = programOnly(tf, backend, less);
    if (typeof other === 'string') return undefined;
    const sized = sizedConstants(program, other, drawn);
    const tensors = sized && sizedTensors(program, sized);
    const specs = work.inputs.map((input, i) => {
      const { dtype, shape } = specOf(input);
      const lengths = less.inputs[i]?.shape;
      return { dtype, shape: shape.map((length, axis) => (length === lengths?.[axis] ? length : ANY)) };
    });
    const seen = sized && sizedTensors(other, sized);
    return (
      sized && tensors && { sized, tensors, specs, fewer: seen && { examples: less.examples, tensors: seen } }
    );
  } finally {
    less.dispose();
  }
}

/** The length of an axis that is not known before the graph runs. */
const ANY = -1;

function programOnly(
  tf: Tf,
  backend: NativeBackend,
  work: { readonly inputs: readonly Tensor[]; compute(): readonly (Tensor | null)[] },
): Program | string {
  const { results, program } = observe(tf, backend, work);
  for (const tensor of results) tensor?.dispose();
  return program;
}

const specOf = ({ dtype, shape }: Tensor): InputSpec => ({ dtype: TYPES[dtype], shape });

function endsOf({ results, assigned }: Observation): Pick<TraceParts, 'results' | 'assigned'> {
  let output = 0;
  return { results: results.map((tensor) => (tensor === null ? null : output++)), assigned };
}

/** Constants are written into the graph as text; larger ones are not worth it. */
const MAX_WRITTEN_BYTES = 4 * 2 ** 20;

const writtenBytes = ({ constants }: Program, { drawn, sized }: Roles): number =>
  constants.reduce(
    (sum, { values }, i) => sum + (drawn.includes(i) || sized.has(i) ? 0 : values.byteLength),
    0,
  );

function checked(
  trace: Trace,
  { work, seen }: { readonly work: TensorWork; readonly seen: Observation },
): Trace | NoTrace {
  const { numbers = [], tolerance } = work;
  let verdict: ReturnType<Trace['check']> | undefined;
  try {
    const { inputIds, outputIds } = seen;
    verdict = trace.check({ inputIds, rightIds: outputIds, numbers, tolerance });
  } finally {
    if (verdict !== 'agree') trace.delete();
  }
  if (verdict === 'agree') return trace;
  const reason = verdict === 'differ' ? 'it gave other values as a graph' : 'its values are not finite';
  return { reason, tryAgain: true };
}

/** TensorFlow's numbers of the types that TensorFlow.js has. */
const TYPES: Readonly<Record<Tensor['dtype'], number>> = {
  float32: FLOAT32,
  int32: INT32,
  string: 7,
  complex64: 8,
  bool: 10,
};
