import { graphText, type InputSpec } from './graph-text.ts';
import type { NativeBackend, OutputInfo } from './native-backend.ts';
import type { Program } from './program.ts';

/** A program that TensorFlow has taken in, to be run as a whole. */
export class Graph {
  readonly #backend: NativeBackend;
  readonly #names: readonly [inputs: string, outputs: string];
  #session: number | undefined;

  /**
   * @param fed the constants of the program that are inputs instead, after those of the program
   * @throws where the file cannot be written, or TensorFlow does not take the graph
   */
  constructor(
    backend: NativeBackend,
    program: Program,
    { inputs, fed }: { readonly inputs: readonly InputSpec[]; readonly fed: readonly number[] },
  ) {
    const { text, inputNames, outputNames } = graphText(program, inputs, fed);
    this.#backend = backend;
    this.#names = [inputNames, outputNames];
    this.#session = load(backend, text);
  }

  /** New handles, in the order of the outputs. The inputs stay the caller's. */
  run(inputIds: readonly number[]): OutputInfo[] {
    if (this.#session === undefined) throw new Error('This graph was deleted.');
    return this.#backend.binding.runSavedModel(this.#session, inputIds, ...this.#names);
  }

  /** Frees it; safe to call twice. */
  delete(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#backend.binding.deleteSavedModel(session);
  }
}

/** The binding takes a graph from a folder only. The folder is gone before the graph is used. */
function load({ binding }: NativeBackend, text: string): number {
  // No import: this package also runs in browsers, which never come here.
  const { mkdtempSync, rmSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const { tmpdir } = process.getBuiltinModule('node:os');
  const { join } = process.getBuiltinModule('node:path');
  const folder = mkdtempSync(join(tmpdir(), 'batchwise-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pbtxt'), text);
    return binding.loadSavedModel(folder, 'serve');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
