import type { Tensor, Tf } from './tf.ts';

export type EngineHolder = Pick<Tf, 'engine'>;

/** What is used of the engine behind `tf.engine()`; `trackTensor` is called for each tensor that comes to be. */
interface Engine {
  readonly state: { gradientDepth: number; activeTape: unknown };
  trackTensor(tensor: Tensor, backend: unknown): void;
}

/**
 * Runs `work`; where it throws, every tensor that it made is freed, apart from variables: an exception inside a gradient
 * leaves what its tape had saved and what was kept, and `tf.tidy` frees neither.
 */
export function freeingOnThrow<T>(tf: EngineHolder, work: () => T): T {
  const engine = tf.engine() as unknown as Engine;
  const made: Tensor[] = [];
  const { trackTensor } = engine;
  engine.trackTensor = (tensor, backend) => {
    trackTensor.call(engine, tensor, backend);
    made.push(tensor);
  };
  try {
    return work();
  } catch (error) {
    if (engine.state.gradientDepth === 0) engine.state.activeTape = null;
    freeAll(made);
    throw error;
  } finally {
    engine.trackTensor = trackTensor;
  }
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
