import { graphText, type GraphText, type InputSpec } from './graph-text.ts';
import type { NativeBackend, OutputInfo } from './native-backend.ts';
import type { Program, Roles } from './program.ts';

/** A program that TensorFlow has taken in, to be run as a whole. */
export class Graph {
  /** True where it serves any number of examples. */
  readonly isGeneral: boolean;
  readonly #backend: NativeBackend;
  readonly #names: Omit<GraphText, 'text'>;
  #session: number | undefined;
  #users = 0;

  /** @throws where the file cannot be written, or TensorFlow does not take the graph */
  constructor(
    backend: NativeBackend,
    program: Program,
    {
      inputs,
      roles,
      isGeneral,
    }: { readonly inputs: readonly InputSpec[]; readonly roles: Roles; readonly isGeneral: boolean },
  ) {
    this.isGeneral = isGeneral;
    const { text, ...names } = graphText(program, inputs, roles);
    this.#backend = backend;
    this.#names = names;
    this.#session = load(backend, text);
  }

  /**
   * New handles, in the order of the outputs.
   * @param inputIds handles of the inputs, of the constants that are fed, and of those that follow from the number of
   *   examples; they stay the caller's
   * @param drawnIds handles of what is drawn otherwise
   */
  run(inputIds: readonly number[], drawnIds: readonly number[] = []): OutputInfo[] {
    if (this.#session === undefined) throw new Error('This graph was deleted.');
    const { inputNames, drawnNames, outputNames } = this.#names;
    const names = drawnIds.length > 0 ? `${inputNames},${drawnNames}` : inputNames;
    return this.#backend.binding.runSavedModel(
      this.#session,
      [...inputIds, ...drawnIds],
      ...([names, outputNames] as const),
    );
  }

  /** False once it was freed. */
  get isLoaded(): boolean {
    return this.#session !== undefined;
  }

  /** One more user, who must release it. */
  share(): this {
    this.#users += 1;
    return this;
  }

  /** Frees it with its last user. */
  release(): void {
    this.#users -= 1;
    const session = this.#session;
    if (this.#users > 0 || session === undefined) return;
    this.#session = undefined;
    this.#backend.binding.deleteSavedModel(session);
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
