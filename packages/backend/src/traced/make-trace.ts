import { TensorWatch } from '../tensor-watch.ts';
import type { Tensor, Tf } from '../tf.ts';
import type { NativeBackend } from './native-backend.ts';
import { observe, VariableSnapshot, type Observation } from './observation.ts';
import { differingConstants, rolesOf, type Program, type Roles } from './program.ts';
import type { TensorWork } from './tensor-work.ts';
import { Trace } from './trace.ts';

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

/**
 * Does the work kernel by kernel, then once more without effect. Where TensorFlow was asked for the same both times,
 * and one run of it as a graph gives the same values, that graph is the trace.
 * @throws what the work throws; nothing else can fail
 */
export function makeTrace(tf: Tf, backend: NativeBackend, work: TensorWork): Made {
  const before = new VariableSnapshot(work.inputs);
  try {
    const seen = observe(tf, backend, work);
    return { results: seen.results, outcome: outcomeOf(tf, backend, { work, seen }) };
  } finally {
    before.release();
  }
}

function outcomeOf(
  tf: Tf,
  backend: NativeBackend,
  { work, seen }: { readonly work: TensorWork; readonly seen: Observation },
): Trace | NoTrace {
  if (seen.madeVariables) return { reason: 'it makes variables', tryAgain: true };
  if (typeof seen.program === 'string') return { reason: seen.program, tryAgain: true };
  const after = new VariableSnapshot(work.inputs);
  try {
    const { value } = new TensorWatch(tf).run(() => {
      const trace = rehearsed(tf, backend, { work, seen });
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

/** A trace to be checked, or why there is none: the same work with other numbers must ask for the same. */
function rehearsed(
  tf: Tf,
  backend: NativeBackend,
  { work, seen }: { readonly work: TensorWork; readonly seen: Observation },
): Trace | string {
  const { inputs, numbers = [], rehearsal = { numbers, compute: () => work.compute() } } = work;
  const again = observe(tf, backend, { inputs, compute: () => rehearsal.compute() });
  for (const tensor of again.results) tensor?.dispose();
  const [first, second] = [seen.program, again.program];
  if (typeof first === 'string') return first;
  if (typeof second === 'string') return second;
  const differing = differingConstants(first, second);
  if (typeof differing === 'string') return differing;
  const roles = rolesOf([first, second], differing, [numbers, rehearsal.numbers]);
  if (!roles) return 'it computes values in JavaScript anew each time';
  const bytes = writtenBytes(first, roles);
  if (bytes > MAX_WRITTEN_BYTES) return `its constants take ${bytes} bytes`;
  let output = 0;
  return new Trace(backend, {
    program: first,
    inputs,
    roles,
    results: seen.results.map((tensor) => (tensor === null ? null : output++)),
    assigned: seen.assigned,
  });
}

/** Constants are written into the graph as text; larger ones are not worth it. */
const MAX_WRITTEN_BYTES = 4 * 2 ** 20;

const writtenBytes = ({ constants }: Program, { drawn }: Roles): number =>
  constants.reduce((sum, { values }, i) => sum + (drawn.includes(i) ? 0 : values.byteLength), 0);

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
