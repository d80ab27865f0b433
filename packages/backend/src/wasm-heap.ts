import type { MemoryMeter } from '@batchwise/memory-probe';
import type { Tf } from './tf.ts';

/** What is used of the wasm backend: each tensor's memory comes from there and goes back there. */
interface WasmModule {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

/**
 * Meters the heap of WebAssembly while it is attached: the blocks that tensors take. What kernels take for themselves, and
 * the gaps between blocks, are not seen. The engine's own count has tensors that share a block twice, up to a third more.
 */
export class WasmHeap implements MemoryMeter {
  readonly source = 'wasm heap';
  readonly certainty = 'unknown';
  readonly #tf: Tf;
  #bytes = 0;
  #peakBytes = 0;
  #detach: (() => void) | undefined;

  constructor(tf: Tf) {
    this.#tf = tf;
  }

  attach(): void {
    const { wasm } = this.#tf.backend() as unknown as { wasm: WasmModule };
    const { _malloc: malloc, _free: free } = wasm;
    const blocks = new Map<number, number>();
    // The blocks from before are known by the tensors in them only.
    this.#bytes = (this.#tf.engine() as unknown as { state: { numBytes: number } }).state.numBytes;
    wasm._malloc = (bytes) => {
      const pointer = malloc.call(wasm, bytes);
      blocks.set(pointer, bytes);
      this.#bytes += bytes;
      this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
      return pointer;
    };
    wasm._free = (pointer) => {
      this.#bytes -= blocks.get(pointer) ?? 0;
      blocks.delete(pointer);
      free.call(wasm, pointer);
    };
    this.#detach = () => {
      wasm._malloc = malloc;
      wasm._free = free;
    };
  }

  detach(): void {
    this.#detach?.();
    this.#detach = undefined;
  }

  begin(): void {
    this.#peakBytes = this.#bytes;
  }

  read() {
    return { bytesInUse: this.#bytes, peakBytes: this.#peakBytes };
  }
}
