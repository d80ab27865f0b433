import type { Tensor, Tf } from './tf.ts';

/** What is used of the engine behind `tf.engine()`; `trackTensor` is called for each tensor that comes to be. */
interface Engine {
  readonly state: { gradientDepth: number; activeTape: unknown };
  trackTensor(tensor: Tensor, backend: unknown): void;
}

/**
 * Frees what a piece of work that threw has left: an exception inside a gradient leaves what its tape had saved and what
 * was kept, and `tf.tidy` frees neither. One guard for many pieces of work: a list and a function of its own for each
 * would cost a tenth of a small step.
 */
export class LeakGuard {
  readonly #engine: Engine;
  readonly #made: Tensor[] = [];
  #trackTensor: Engine['trackTensor'];

  constructor(tf: Pick<Tf, 'engine'>) {
    this.#engine = tf.engine() as unknown as Engine;
    this.#trackTensor = this.#engine.trackTensor;
  }

  /** Runs `work`; where it throws, every tensor that it made is freed, apart from variables. */
  run<T>(work: () => T): T {
    const engine = this.#engine;
    this.#trackTensor = engine.trackTensor;
    engine.trackTensor = this.#track;
    try {
      return work();
    } catch (error) {
      if (engine.state.gradientDepth === 0) engine.state.activeTape = null;
      freeAll(this.#made);
      throw error;
    } finally {
      engine.trackTensor = this.#trackTensor;
      this.#made.length = 0;
    }
  }

  readonly #track: Engine['trackTensor'] = (tensor, backend) => {
    this.#trackTensor.call(this.#engine, tensor, backend);
    this.#made.push(tensor);
  };
}

/** Frees what is not freed yet, apart from variables: an optimizer keeps the slots that it made. */
export function freeAll(tensors: Iterable<Tensor>): void {
  try {
    for (const tensor of tensors) if (!tensor.isDisposed && !('trainable' in tensor)) tensor.dispose();
  } catch {
    // On a dead engine freeing throws as well; the first error is the one to report.
    return;
  }
}
