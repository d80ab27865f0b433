import type { Tensor, Tf } from './tf.ts';

/** What is used of the engine behind `tf.engine()`; `trackTensor` is called for each tensor that comes to be. */
interface Engine {
  readonly state: {
    numBytes: number;
    gradientDepth: number;
    activeTape: readonly { readonly saved?: readonly Tensor[] }[] | null;
  };
  trackTensor(tensor: Tensor, backend: unknown): void;
}

/**
 * Watches the engine of TensorFlow.js: the highest number of bytes in tensors, and which tensors a failed piece of
 * work left behind (an exception inside a gradient leaks what its tape had saved; `tf.tidy` does not free it).
 */
export class TensorWatch {
  readonly #engine: Engine;
  #made: Tensor[] | undefined;
  #peakBytes = 0;
  #watching = false;

  constructor(tf: Pick<Tf, 'engine'>) {
    this.#engine = tf.engine() as unknown as Engine;
  }

  get bytesInUse(): number {
    return this.#engine.state.numBytes;
  }

  /** Since the watch began. */
  get peakBytes(): number {
    return Math.max(this.#peakBytes, this.bytesInUse);
  }

  /** Runs `work`; where it throws, every tensor that it made is freed, apart from variables. */
  async guard<T>(work: () => T | Promise<T>): Promise<T> {
    this.#begin();
    const outer = this.#made;
    const made: Tensor[] = [];
    this.#made = made;
    try {
      return await work();
    } catch (error) {
      const { state } = this.#engine;
      if (state.gradientDepth === 0) state.activeTape = null;
      freeAll(made);
      throw error;
    } finally {
      this.#made = outer;
    }
  }

  /** Takes the hands off the engine. */
  end(): void {
    if (this.#watching) Reflect.deleteProperty(this.#engine, 'trackTensor');
    this.#watching = false;
    this.#peakBytes = 0;
  }

  #begin(): void {
    if (this.#watching) return;
    this.#watching = true;
    const original = this.#engine.trackTensor;
    this.#engine.trackTensor = (tensor, backend) => {
      original.call(this.#engine, tensor, backend);
      this.#made?.push(tensor);
      const { numBytes } = this.#engine.state;
      if (numBytes > this.#peakBytes) this.#peakBytes = numBytes;
    };
  }
}

/** On a dead engine freeing throws as well; the first error is the one to report. */
function freeAll(tensors: readonly Tensor[]): void {
  try {
    for (const tensor of tensors) if (!tensor.isDisposed && !isVariable(tensor)) tensor.dispose();
  } catch {
    return;
  }
}

/** An optimizer keeps the slots that it made; they are state, not litter. */
const isVariable = (tensor: Tensor): boolean => 'trainable' in tensor;
