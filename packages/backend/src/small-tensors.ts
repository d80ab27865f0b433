import type { MemoryMeter } from '@batchwise/memory-probe';
import type { Tf } from './tf.ts';

/** The allocator of TensorFlow for the processor with oneDNN, and the blocks that it hands on uncounted and unlimited. */
const COUNTS_LARGE_BLOCKS = 'allocator mklcpu';
const SMALL_BLOCK_BYTES = 256 * 1024;

/** Kernels whose result is their input in another shape: TensorFlow lets both have one block. By the input's name. */
const VIEWS: Readonly<Record<string, string>> = { Reshape: 'x', ExpandDims: 'input' };

/** What is used of the engine behind `tf.engine()`: the first is called for each kernel, the others for each tensor. */
interface Engine {
  readonly state: { readonly tensorInfo: WeakMap<object, { readonly bytes: number }> };
  runKernel(
    name: string,
    inputs: Readonly<Record<string, { readonly dataId: object }>>,
    attributes?: unknown,
  ): unknown;
  trackTensor(tensor: { readonly dataId: object }, backend: unknown): void;
  removeDataId(dataId: object, backend: unknown): void;
}

/** Freed with the last tensor that has it. */
interface Block {
  readonly bytes: number;
  holders: number;
}

/**
 * Meters an allocator that counts large blocks only, with the tensors added that are too small for it and come to be
 * while it is attached. Tensors of one block count once: two fifths of what an LSTM seems to hold are reshaped tensors.
 * Without them a network of many small tensors seems to take nothing up to a size, and all at once from there on.
 */
export class SmallTensors implements MemoryMeter {
  readonly source: string;
  readonly certainty;
  readonly #allocator: MemoryMeter;
  readonly #engine: Engine;
  readonly #blocks = new Map<object, Block>();
  /** What the kernel that runs gives another shape. */
  #viewed: object | undefined;
  #bytes = 0;
  /** Of both, over all but the present. */
  #peakBytes = 0;
  /** While the allocator had the peak that it has now. */
  #peakSmallBytes = 0;
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
    const { runKernel, trackTensor, removeDataId } = engine;
    engine.runKernel = (name, inputs, attributes) => {
      this.#viewed = inputs[VIEWS[name] ?? '']?.dataId;
      try {
        return runKernel.call(engine, name, inputs, attributes);
      } finally {
        this.#viewed = undefined;
      }
    };
    engine.trackTensor = (tensor, backend) => {
      trackTensor.call(engine, tensor, backend);
      this.#add(tensor.dataId);
    };
    engine.removeDataId = (dataId, backend) => {
      removeDataId.call(engine, dataId, backend);
      this.#remove(dataId);
    };
    this.#detach = () => {
      Object.assign(engine, { runKernel, trackTensor, removeDataId });
      this.#blocks.clear();
      this.#bytes = 0;
      this.#peakSmallBytes = 0;
    };
  }

  detach(): void {
    this.#detach?.();
    this.#detach = undefined;
  }

  begin() {
    this.#peakBytes = 0;
    this.#peakSmallBytes = this.#bytes;
    return this.#allocator.begin();
  }

  async read() {
    const large = await this.#allocator.read();
    return (
      large && { bytesInUse: large.bytesInUse + this.#bytes, peakBytes: this.#peakWith(large.peakBytes) }
    );
  }

  #peakWith = (largeBytes: number): number => Math.max(this.#peakBytes, largeBytes + this.#peakSmallBytes);

  /**
   * The two peaks need not be of one moment. An allocator that answers at once, in microseconds, begins a new one whenever
   * the small tensors change; of another the sum of both peaks is an upper bound.
   */
  #change(bytes: number): void {
    const large = this.#allocator.read();
    this.#bytes += bytes;
    if (large && 'peakBytes' in large) {
      this.#peakBytes = this.#peakWith(large.peakBytes);
      this.#peakSmallBytes = this.#bytes;
      void this.#allocator.begin();
    } else this.#peakSmallBytes = Math.max(this.#peakSmallBytes, this.#bytes);
  }

  /** Several tensors may have the same data, and several data the same block. */
  #add(dataId: object): void {
    const bytes = this.#bytesOf(dataId);
    if (bytes >= SMALL_BLOCK_BYTES || this.#blocks.has(dataId)) return;
    // The shape itself is a tensor of the kernel too, and has a block of its own.
    const viewed = this.#viewed && this.#bytesOf(this.#viewed) === bytes ? this.#viewed : undefined;
    const block = viewed ? this.#blocks.get(viewed) : { bytes, holders: 0 };
    // A block from before is not counted, whoever else gets it.
    if (!block) return;
    block.holders += 1;
    this.#blocks.set(dataId, block);
    if (block.holders === 1) this.#change(bytes);
  }

  #remove(dataId: object): void {
    const block = this.#blocks.get(dataId);
    if (!block) return;
    this.#blocks.delete(dataId);
    block.holders -= 1;
    if (block.holders === 0) this.#change(-block.bytes);
  }

  #bytesOf(dataId: object): number {
    return this.#engine.state.tensorInfo.get(dataId)?.bytes ?? 0;
  }
}
