import { classifyError } from '../classify.ts';
import type { Tensor, Tf } from '../tf.ts';
import { foreseen, makeTrace, type NoTrace } from './make-trace.ts';
import type { NativeBackend } from './native-backend.ts';
import { observe } from './observation.ts';
import type { SizeLaws } from './size-laws.ts';
import { tidyAll, type StepPart, type StepRunner, type TensorWork } from './tensor-work.ts';
import { Trace } from './trace.ts';

/** What became of a piece of work. Said each time that it changes. */
export interface TraceEvent {
  readonly part: StepPart;
  readonly key: string;
  readonly status: 'traced' | 'eager';
  /** Why it runs kernel by kernel; empty where it is traced. */
  readonly reason: string;
}

/** Options of a {@link Tracer}. */
export interface TracerOptions {
  /** Why a part is not to be traced, undefined where it may be. */
  readonly refusal: (part: StepPart) => string | undefined;
  /** Whether the code is known to do nothing else at one number of examples than at another. */
  readonly foresees: boolean;
  readonly onEvent: (event: TraceEvent) => void;
}

/** At which use of a piece of work it is worth the time to trace it. */
const TRACED_AT_USE: Readonly<Record<StepPart, number>> = {
  gradient: 1,
  update: 1,
  // All that a measured step of two parts adds: a graph takes 35 to 65 ms and saves one or two each time.
  merge: 32,
  // The same of other measured steps, in several graphs.
  accumulate: 100,
  dot: 100,
  evaluation: 8,
};

/**
 * Data of a new shape, beside the number of examples, beside others that are traced: sequences of every length, each of
 * which may be rare. A graph costs as much as it saves in so many uses.
 */
const NEW_SHAPE_AT_USE = 8;

/** Graphs kept at a time. */
const MAX_TRACES = 48;
/** After so many pieces of work without it a graph may make way for another: if they took turns, none would pay. */
const IDLE_RUNS = 1000;

/** Values that are not finite, or near a kink of the loss, settle nothing: so many times it is tried. */
const MAX_ATTEMPTS = 3;

/**
 * The use at which it is looked whether the work is still the same, for what it is made with may have changed. Each next
 * look comes after twice as many uses: it takes as long as a step without a graph.
 */
const FIRST_LOOK = 500;

interface Entry {
  uses: number;
  /** By the count of all work. */
  usedAt: number;
  /** The use at which it is looked whether the work is still the same. */
  lookAt: number;
  attempts: number;
  state: 'new' | 'eager' | Trace;
}

type Results = readonly (Tensor | null)[];

/**
 * Runs work kernel by kernel until it has seen what the work asks TensorFlow for, and from then on as one graph, once
 * that has given the same values; at further numbers of examples at once, where what it is given there is known. What cannot be traced, or fails as a graph, goes on kernel by kernel.
 */
export class Tracer implements StepRunner {
  readonly #tf: Tf;
  readonly #backend: NativeBackend;
  readonly #options: TracerOptions;
  /** By part and key, the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** The latest trace of each family. */
  readonly #relatives = new Map<string, Trace>();
  readonly #tracedParts = new Set<StepPart>();
  #examples = 0;
  #runs = 0;

  constructor(tf: Tf, backend: NativeBackend, options: TracerOptions) {
    this.#tf = tf;
    this.#backend = backend;
    this.#options = options;
  }

  run(work: TensorWork): Results {
    const entry = this.#entryOf(work);
    entry.uses += 1;
    entry.usedAt = this.#runs += 1;
    const isDue = entry.uses >= this.#tracedAtUse(work);
    const { state } = entry;
    if (state instanceof Trace)
      return entry.uses >= entry.lookAt
        ? this.#look(entry, { trace: state, work })
        : this.#replay(entry, { trace: state, work });
    return state === 'new' && isDue && this.#hasRoom() ? this.#trace(entry, work) : this.#eager(work);
  }

  dispose(): void {
    for (const { state } of this.#entries.values()) if (state instanceof Trace) state.delete();
    this.#entries.clear();
    this.#relatives.clear();
    this.#tracedParts.clear();
    this.#examples = 0;
    this.#runs = 0;
  }

  #tracedAtUse(work: TensorWork): number {
    const { part, family } = work;
    const [usual, relative] = [TRACED_AT_USE[part], this.#relativeOf(work)];
    const isLeftover = this.#isShrunk(work) && relative?.graph.isGeneral !== true;
    const isNewShape = family !== undefined && !relative && this.#tracedParts.has(part);
    return isNewShape ? Math.max(usual, NEW_SHAPE_AT_USE) : usual + (isLeftover ? 1 : 0);
  }

  #entryOf({ part, key }: TensorWork): Entry {
    const name = `${part} ${key}`;
    const entry = this.#entries.get(name) ?? {
      uses: 0,
      usedAt: 0,
      lookAt: FIRST_LOOK,
      attempts: 0,
      state: 'new',
    };
    // The last one is the most recently used.
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  /** The latest trace of its family, which may serve it too. */
  #relativeOf({ part, family }: TensorWork): Trace | undefined {
    return family === undefined ? undefined : this.#relatives.get(`${part} ${family}`);
  }

  /** A batch smaller than the one before may be what was left of an epoch: a graph of its own waits until it comes again. */
  #isShrunk({ examples }: TensorWork): boolean {
    const before = this.#examples;
    this.#examples = examples ?? before;
    return this.#examples < before;
  }

  #eager(work: TensorWork): Results {
    return tidyAll(this.#tf.tidy, () => work.compute());
  }

  #trace(entry: Entry, work: TensorWork, { isSure = false } = {}): Results {
    const refusal = this.#options.refusal(work.part);
    if (refusal !== undefined) {
      this.#drop(entry, work, { reason: refusal, tryAgain: false });
      return this.#eager(work);
    }
    // The graph of another may have been what failed before.
    const relative = entry.attempts > 0 ? undefined : this.#relativeOf(work);
    const trace = this.#options.foresees && !isSure ? foreseen(this.#backend, { work, relative }) : undefined;
    if (trace) return this.#tryForeseen(entry, { trace, work });
    const { results, outcome } = makeTrace(this.#tf, this.#backend, { work, relative });
    this.#doubt(relative?.parts.laws, outcome);
    if (!(outcome instanceof Trace)) this.#drop(entry, work, outcome);
    else this.#settle(entry, work, outcome);
    return results;
  }

  /** The first run of a trace whose work was not done at this size yet. Where it fails, the work is done. */
  #tryForeseen(entry: Entry, { trace, work }: { readonly trace: Trace; readonly work: TensorWork }): Results {
    try {
      const results = trace.run(work);
      this.#settle(entry, work, trace);
      return results;
    } catch (error) {
      trace.delete();
      // The same with less memory in use may do, another time.
      if (classifyError('tensorflow', error) === 'outOfMemory') throw error;
      return this.#trace(entry, work, { isSure: true });
    }
  }

  /** Laws that a size contradicts are no laws: what was foreseen by them is looked at with its next use. */
  #doubt(laws: SizeLaws | undefined, outcome: Trace | NoTrace): void {
    if (laws === undefined || (outcome instanceof Trace && outcome.parts.laws === laws)) return;
    for (const entry of this.#entries.values()) {
      const parts = entry.state instanceof Trace ? entry.state.parts : undefined;
      if (parts?.isForeseen && parts.laws === laws) entry.lookAt = entry.uses + 1;
    }
    for (const [family, trace] of this.#relatives)
      if (trace.parts.laws === laws) this.#relatives.delete(family);
  }

  #settle(entry: Entry, { part, key, family }: TensorWork, trace: Trace): void {
    entry.state = trace;
    this.#tracedParts.add(part);
    if (family !== undefined) this.#relatives.set(`${part} ${family}`, trace);
    this.#options.onEvent({ part, key, status: 'traced', reason: '' });
  }

  #replay(entry: Entry, { trace, work }: { readonly trace: Trace; readonly work: TensorWork }): Results {
    try {
      return trace.run(work);
    } catch (error) {
      trace.delete();
      this.#drop(entry, work, { reason: `it failed as a graph (${firstLine(error)})`, tryAgain: false });
      // What does not fit as a graph is for the controller to make smaller, as it would be kernel by kernel.
      if (classifyError('tensorflow', error) === 'outOfMemory') throw error;
      return this.#eager(work);
    }
  }

  /** Does the work kernel by kernel, and forgets the trace where it is not what it was. */
  #look(entry: Entry, { trace, work }: { readonly trace: Trace; readonly work: TensorWork }): Results {
    if (trace.parts.isForeseen) {
      const results = this.#trace(entry, work, { isSure: true });
      trace.delete();
      entry.lookAt = Math.max(FIRST_LOOK, 2 * entry.uses);
      return results;
    }
    entry.lookAt = 2 * entry.uses;
    const { results, program } = observe(this.#tf, this.#backend, work);
    if (!trace.standsFor(program, work.numbers ?? [])) {
      trace.delete();
      this.#doubt(trace.parts.laws, { reason: '', tryAgain: true });
      this.#drop(entry, work, { reason: 'it asks for something else than before', tryAgain: true });
    }
    return results;
  }

  #drop(entry: Entry, { part, key }: TensorWork, { reason, tryAgain }: NoTrace): void {
    entry.attempts += 1;
    entry.state = tryAgain && entry.attempts < MAX_ATTEMPTS ? 'new' : 'eager';
    if (entry.state === 'eager') this.#options.onEvent({ part, key, status: 'eager', reason });
  }

  /** Room for another graph, made where there is one that no longer runs. */
  #hasRoom(): boolean {
    const traced = [...this.#entries].filter(([, { state }]) => state instanceof Trace);
    const [oldest] = traced;
    if (!oldest || traced.length < MAX_TRACES) return true;
    const [name, { state, usedAt }] = oldest;
    if (this.#runs - usedAt < IDLE_RUNS) return false;
    if (state instanceof Trace) state.delete();
    this.#entries.delete(name);
    return true;
  }
}

const firstLine = (error: unknown): string => String(error).split('\n')[0] ?? '';
