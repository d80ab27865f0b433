import { tfjsBackend, type ArrayBatch, type TraceEvent, type TracingOptions } from '@batchwise/backend';
import type { LayersTf } from '@batchwise/backend/node';

export type Model = Parameters<typeof tfjsBackend>[1];
type Backend = ReturnType<typeof tfjsBackend>;

/** Deterministic numbers in −1…1 that look like noise. */
export const noise = (length: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) * 0.999);

export interface Examples {
  readonly shape?: readonly number[];
  readonly classes?: number;
}

/** Always the same batch for the same seed: inputs of `shape`, and one of `classes` as target. */
export function batchOf(size: number, seed: number, { shape = [4], classes = 3 }: Examples = {}): ArrayBatch {
  const width = shape.reduce((product, length) => product * length, 1);
  const targets = new Float32Array(size * classes);
  for (let i = 0; i < size; i += 1) targets[i * classes + ((i * 7 + seed) % classes)] = 1;
  return {
    xs: { data: noise(size * width, seed), shape: [size, ...shape] },
    ys: { data: targets, shape: [size, classes] },
  };
}

/** One update as the loop does it; answers the loss. */
export async function step(backend: Backend, batch: ArrayBatch, scale = 1): Promise<number> {
  const { gradient, loss } = await backend.gradient(batch);
  const value = await loss.read();
  await backend.apply(gradient, scale);
  backend.release(gradient);
  return value;
}

/** One update as TensorFlow.js does it; answers the loss. */
export async function stockStep(tf: LayersTf, model: Model, batch: ArrayBatch): Promise<number> {
  const tensors = (side: ArrayBatch['xs']) =>
    [side].flat().map((rows) => {
      if (!('data' in rows)) throw new Error('rows in host memory');
      return tf.tensor(rows.data, [...rows.shape]);
    });
  const [xs, ys] = [tensors(batch.xs), tensors(batch.ys)];
  const answer = await model.trainOnBatch(xs, ys);
  tf.dispose([...xs, ...ys]);
  return [answer].flat()[0] as number;
}

/** A backend with what it said of its traces. */
export function tracedBackend(tf: LayersTf, model: Model, options: TracingOptions = {}) {
  const events: TraceEvent[] = [];
  const backend = tfjsBackend(tf, model, { ...options, onTrace: (event) => events.push(event) });
  /** The latest word on a part. */
  const said = (part: TraceEvent['part']) => events.findLast((event) => event.part === part);
  return { backend, events, said };
}

/** All weights in one list. */
export async function weightsOf(model: Model): Promise<number[]> {
  const all: number[] = [];
  for (const weight of model.getWeights()) all.push(...(await weight.data()));
  return all;
}

/** Largest difference of two lists of the same length. */
export function furthest(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);
}
