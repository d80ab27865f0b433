import type { MemoryMeter } from '@batchwise/memory-probe';
import type { Tf } from './tf.ts';

/** The allocator of TensorFlow for the processor with oneDNN, and the blocks that it hands on uncounted and unlimited. */
const COUNTS_LARGE_BLOCKS = 'allocator mklcpu';
const SMALL_BLOCK_BYTES = 256 * 1024;

/** What is used of the engine behind `tf.engine()`; both are called for each tensor. */
interface Engine {
  readonly state: { readonly tensorInfo: WeakMap<object, { readonly bytes: number }> };
  trackTensor(tensor: { readonly dataId: object }, backend: unknown): void;
  removeDataId(dataId: object, backend: unknown): void;
}

/**
 * Meters an allocator that counts large blocks only, with the tensors added that are too small for it and come to be
 * while it is attached.
 * Without them a network of many small tensors seems to take nothing up to a size, and all at once from there on.
 */
export class SmallTensors implements MemoryMeter {
  readonly source: string;
  readonly certainty;
  readonly #allocator: MemoryMeter;
  readonly #engine: Engine;
  readonly #small = new Map<object, number>();
  #bytes = 0;
  #peakBytes = 0;
  #detach: (() => void) | undefined;

  constructor(tf: Pick<Tf, 'engine'>, allocator: MemoryMeter) {
    this.#engine = tf.engine() as unknown as Engine;
    this.#allocator = allocator;
    this.source = `${allocator.source} and small tensors`;
    this.certainty = allocator.certainty;
  }

  /** Whether a meter needs it. */
  static areLeftOutBy = ({ source }: MemoryMeter): boolean => source === COUNTS_LARGE_BLOCKS;

  attach(): void {
    const engine = this.#engine;
    const { trackTensor, removeDataId } = engine;
    engine.trackTensor = (tensor, backend) => {
      trackTensor.call(engine, tensor, backend);
      this.#add(tensor.dataId, engine.state.tensorInfo.get(tensor.dataId)?.bytes ?? 0);
    };
    engine.removeDataId = (dataId, backend) => {
      removeDataId.call(engine, dataId, backend);
      this.#bytes -= this.#small.get(dataId) ?? 0;
      this.#small.delete(dataId);
    };
    this.#detach = () => {
      Object.assign(engine, { trackTensor, removeDataId });
      this.#small.clear();
      this.#bytes = 0;
    };
  }

  detach(): void {
    this.#detach?.();
    this.#detach = undefined;
  }

  begin() {
    this.#peakBytes = this.#bytes;
    return this.#allocator.begin();
  }

  /** The two peaks need not be of one moment: their sum is an upper bound. */
  async read() {
    const large = await this.#allocator.read();
    if (!large) return null;
    return {
      bytesInUse: large.bytesInUse + this.#bytes,
      peakBytes: large.peakBytes + this.#peakBytes,
    };
  }

  /** Several tensors may have the same data. */
  #add(dataId: object, bytes: number): void {
    if (bytes >= SMALL_BLOCK_BYTES || this.#small.has(dataId)) return;
    this.#small.set(dataId, bytes);
    this.#bytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
  }
}
