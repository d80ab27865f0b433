import { TrainingError } from '@batchwise/core';
import { isDeadWasm } from './classify.ts';
import { PlainKeeper, type Kept, type Task } from './engine-keeper.ts';

/** What is used of the wasm backend: each tensor's memory comes from there. */
interface WasmBackend {
  readonly wasm: { _malloc(bytes: number): number };
}

/**
 * Bytes in tensors that are allowed. The heap ends at 4 GiB (4.29e9), gaps between tensors and what the kernels take for
 * themselves included: with 3.5e9 in the tensors of a convolutional network it had grown to 4.24e9. Past its end the
 * module aborts, and nothing in the process can use it again.
 */
export const WASM_BUDGET_BYTES = 3.2e9;

/** The step that was begun would have run WebAssembly out of its heap. */
class WasmBudgetError extends Error {
  override readonly name = 'WasmBudgetError';

  constructor(bytes: number, budgetBytes: number) {
    const gigabytes = (value: number): string => (value / 1e9).toFixed(2);
    super(`Tensors would take ${gigabytes(bytes)} GB of at most ${gigabytes(budgetBytes)} GB on wasm.`);
  }
}

/** For wasm, whose heap ends in an abort that nothing survives: no tensor is made that could bring it about. */
export class WasmKeeper extends PlainKeeper {
  readonly #budgetBytes: number;
  #watched:
    { readonly wasm: WasmBackend['wasm']; readonly malloc: WasmBackend['wasm']['_malloc'] } | undefined;
  /** One function for all work, as in `TensorWatch`. */
  readonly #malloc = (bytes: number): number => {
    const wanted = this.tensors.bytesInUse + bytes;
    if (wanted > this.#budgetBytes) throw new WasmBudgetError(wanted, this.#budgetBytes);
    return this.#watched?.malloc.call(this.#watched.wasm, bytes) ?? 0;
  };

  constructor(kept: Kept, budgetBytes = WASM_BUDGET_BYTES) {
    super(kept);
    this.#budgetBytes = budgetBytes;
  }

  override async guard<T>(task: Task, work: () => T): Promise<T> {
    try {
      return await super.guard(task, () => this.watch(work));
    } catch (cause) {
      if (!isDeadWasm(cause)) throw cause;
      throw new TrainingError(
        'outOfMemory',
        'WebAssembly ran out of its heap (about 4 GB) and cannot go on.',
        { hint: 'Start again with a smaller micro-batch.', cause },
      );
    }
  }

  override watch<T>(work: () => T): T {
    const { wasm } = this.kept.tf.backend() as unknown as WasmBackend;
    const { _malloc: malloc } = wasm;
    // Work inside of work is watched already.
    if (malloc === this.#malloc) return work();
    this.#watched = { wasm, malloc };
    wasm._malloc = this.#malloc;
    try {
      return work();
    } finally {
      wasm._malloc = malloc;
    }
  }
}
