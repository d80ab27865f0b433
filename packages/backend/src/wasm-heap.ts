import type { MemoryMeter } from '@batchwise/memory-probe';
import type { Tf } from './tf.ts';

/** What is used of the wasm backend: each tensor's memory comes from there and goes back there. */
interface WasmModule {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

/**
 * Meters the heap of WebAssembly while it is attached: how far up it is used, which is what it must have grown to. The gaps
 * between blocks are in it, a tenth where blocks are large, and tensors that share a block count once.
 */
export class WasmHeap implements MemoryMeter {
  readonly source = 'wasm heap';
  readonly certainty = 'exact';
  readonly #tf: Tf;
  readonly #blocks = new Map<number, number>();
  #bytes = 0;
  /** Where blocks begin: what is below is the module's own. */
  #start = Infinity;
  #top = 0;
  #detach: (() => void) | undefined;

  constructor(tf: Tf) {
    this.#tf = tf;
  }

  attach(): void {
    const { wasm } = this.#tf.backend() as unknown as { wasm: WasmModule };
    // The first call of either puts a function of the module in its own place.
    const probe = wasm._malloc(1);
    wasm._free(probe);
    this.#start = probe;
    const { _malloc: malloc, _free: free } = wasm;
    // The blocks from before are known by the tensors in them only.
    this.#bytes = (this.#tf.engine() as unknown as { state: { numBytes: number } }).state.numBytes;
    wasm._malloc = (bytes) => {
      const pointer = malloc.call(wasm, bytes);
      this.#blocks.set(pointer, bytes);
      this.#bytes += bytes;
      this.#start = Math.min(this.#start, pointer);
      this.#top = Math.max(this.#top, pointer + bytes);
      return pointer;
    };
    wasm._free = (pointer) => {
      this.#bytes -= this.#blocks.get(pointer) ?? 0;
      this.#blocks.delete(pointer);
      free.call(wasm, pointer);
    };
    this.#detach = () => {
      wasm._malloc = malloc;
      wasm._free = free;
      this.#blocks.clear();
    };
  }

  detach(): void {
    this.#detach?.();
    this.#detach = undefined;
  }

  begin(): void {
    const ends = [...this.#blocks].map(([pointer, bytes]) => pointer + bytes);
    this.#top = Math.max(0, ...ends);
  }

  read() {
    return { bytesInUse: this.#bytes, peakBytes: Math.max(this.#top - this.#start, this.#bytes) };
  }
}
