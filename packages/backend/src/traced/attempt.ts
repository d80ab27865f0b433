import type { Tensor, Tf } from '../tf.ts';

/** What is used of the engine behind `tf.engine()`. */
interface Engine {
  readonly state: { readonly gradientDepth: number; activeTape: unknown };
  trackTensor(tensor: Tensor, backend: unknown): void;
}

/** Runs `work`; where it throws, every tensor that it made is freed, also those that a gradient tape had saved. */
export function attempt<T>(tf: Pick<Tf, 'engine'>, work: () => T): T {
  const engine = tf.engine() as unknown as Engine;
  const { trackTensor } = engine;
  const made: Tensor[] = [];
  engine.trackTensor = (tensor, backend) => {
    trackTensor.call(engine, tensor, backend);
    made.push(tensor);
  };
  try {
    return work();
  } catch (error) {
    if (engine.state.gradientDepth === 0) engine.state.activeTape = null;
    for (const tensor of made) if (!tensor.isDisposed && !('trainable' in tensor)) tensor.dispose();
    throw error;
  } finally {
    engine.trackTensor = trackTensor;
  }
}
