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

/** Work that was done. */
export interface Done<T> {
  readonly value: T;
  /** Frees every tensor that it made, apart from variables: for work that turns out to have failed. */
  undo(): void;
}

/**
 * Watches the engine of TensorFlow.js: the highest number of bytes in tensors, and which tensors a failed piece of
 * work left behind (an exception inside a gradient leaks what its tape had saved; `tf.tidy` does not free it).
 */
export class TensorWatch {
  readonly #engine: Engine;
  #peakBytes = 0;
  /** Of the work in hand. */
  #made: Tensor[] = [];
  #trackBefore: Engine['trackTensor'] | undefined;
  /** One function for all work: with a new one each time, JavaScript forgets how to call it fast, and keeps what all of them made. */
  readonly #track: Engine['trackTensor'] = (tensor, backend) => {
    const engine = this.#engine;
    this.#trackBefore?.call(engine, tensor, backend);
    this.#made.push(tensor);
    this.#peakBytes = Math.max(this.#peakBytes, engine.state.numBytes);
  };

  constructor(tf: Pick<Tf, 'engine'>) {
    this.#engine = tf.engine() as unknown as Engine;
  }

  get bytesInUse(): number {
    return this.#engine.state.numBytes;
  }

  /** Of all watched work since the last reset. */
  get peakBytes(): number {
    return Math.max(this.#peakBytes, this.bytesInUse);
  }

  /** Runs `work`; where it throws, every tensor that it made is freed, apart from variables. */
  run<T>(work: () => T): Done<T> {
    const engine = this.#engine;
    const trackBefore = engine.trackTensor;
    if (trackBefore === this.#track) throw new Error('unreachable: no work is watched inside of other work');
    const made: Tensor[] = [];
    this.#made = made;
    this.#trackBefore = trackBefore;
    engine.trackTensor = this.#track;
    const undo = (): void => {
      if (engine.state.gradientDepth === 0) engine.state.activeTape = null;
      freeAll(made);
    };
    try {
      return { value: work(), undo };
    } catch (error) {
      undo();
      throw error;
    } finally {
      engine.trackTensor = trackBefore;
      this.#made = [];
    }
  }

  /** Begins a new peak. */
  reset(): void {
    this.#peakBytes = 0;
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
