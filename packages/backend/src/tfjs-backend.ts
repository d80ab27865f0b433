import { TrainingError, type Backend, type Deferred, type Measurement } from '@batchwise/core';
import { listOf, sizeOfBatch, splitBatch, type ArrayBatch, type Rows } from './array-batch.ts';
import { classifyError, isDeadWasm } from './classify.ts';
import { openModel, type CompiledModel } from './compiled-model.ts';
import { deferredSum } from './deferred.ts';
import { LearningRateKnob } from './learning-rate.ts';
import { ModelLosses, type Uploaded } from './model-losses.ts';
import { TensorWatch } from './tensor-watch.ts';
import type { LayersModel, Tensor, Tf } from './tf.ts';

/** One entry per trainable weight, in the model's order; null where the loss does not depend on it. */
export type LayersGradient = readonly { readonly name: string; readonly tensor: Tensor | null }[];

/** What is wanted of a backend beyond what the loop needs. */
export interface TfjsBackendOptions {
  /**
   * Given the model's metrics on each micro-batch that it is trained on, by name, and how many examples they are means
   * over; takes them over. They are of the forward pass of training. Without it they are not computed.
   */
  readonly onTrainingMetrics?: (metrics: Readonly<Record<string, Deferred>>, examples: number) => void;
}

/** Engines whose operations are finished when the call returns. */
const SYNCHRONOUS = new Set(['cpu', 'wasm', 'tensorflow']);

/**
 * A compiled LayersModel (or Sequential) as a backend for `train`. Its own loss, metrics, optimizer and regularizers
 * are used, on the engine that `tf` is set to. The optimizer keeps its state, so the model can be saved or trained on
 * afterwards; its learning rate is scaled for single updates and given back after each.
 * @throws TrainingError `invalidOptions` when the model is not compiled or has nothing to train
 */
export function tfjsBackend(
  tf: Tf,
  model: LayersModel,
  options: TfjsBackendOptions = {},
): Backend<ArrayBatch, LayersGradient> {
  return new TfjsBackend(tf, openModel(model), options);
}

class TfjsBackend implements Backend<ArrayBatch, LayersGradient> {
  readonly name: string;
  readonly can: ReadonlySet<Measurement> = new Set<Measurement>(['loss', 'seconds', 'gradient', 'memory']);
  readonly #tf: Tf;
  readonly #model: CompiledModel;
  readonly #losses: ModelLosses;
  readonly #learningRate: LearningRateKnob;
  readonly #watch: TensorWatch;
  readonly #onTrainingMetrics: TfjsBackendOptions['onTrainingMetrics'];

  constructor(tf: Tf, model: CompiledModel, { onTrainingMetrics }: TfjsBackendOptions) {
    this.name = tf.getBackend();
    this.#tf = tf;
    this.#model = model;
    this.#losses = new ModelLosses(tf, model);
    this.#learningRate = new LearningRateKnob(model.optimizer);
    this.#watch = new TensorWatch(tf);
    this.#onTrainingMetrics = onTrainingMetrics;
  }

  sizeOf(batch: ArrayBatch): number {
    return sizeOfBatch(batch);
  }

  split(batch: ArrayBatch, microBatchSize: number): ArrayBatch[] {
    return splitBatch(batch, microBatchSize);
  }

  gradient(batch: ArrayBatch) {
    const { variables } = this.#model;
    return this.#guard(() => {
      const examples = this.#upload(batch);
      let metrics: readonly Tensor[] = [];
      try {
        const { value, grads } = this.#tf.variableGrads(() => {
          const outputs = this.#model.outputs(examples.xs, true);
          if (this.#onTrainingMetrics)
            metrics = this.#losses.metrics(outputs, examples).map((metric) => this.#tf.keep(metric));
          return this.#losses.training(outputs, examples);
        }, [...variables]);
        const gradient = variables.map(({ name }) => ({ name, tensor: grads[name] ?? null }));
        this.#onTrainingMetrics?.(this.#named(metrics), sizeOfBatch(batch));
        return { gradient, loss: deferredSum(value) };
      } finally {
        this.#tf.dispose(Object.values(examples).flat());
      }
    });
  }

  accumulate(total: LayersGradient | undefined, part: LayersGradient, weight: number): LayersGradient {
    if (total === undefined && weight === 1) return part;
    // In one tidy, so that a failure half-way leaves nothing.
    const sums = this.#tf.tidy(() =>
      part.map(({ tensor }, i) => {
        const before = total?.[i]?.tensor;
        if (!tensor) return this.#tf.scalar(0);
        const scaled = this.#tf.mul(tensor, weight);
        return before ? this.#tf.add(before, scaled) : scaled;
      }),
    );
    const sum = part.map(({ name, tensor }, i) => ({ name, tensor: tensor ? (sums[i] ?? null) : null }));
    this.release(part, ...(total ? [total] : []));
    return sum;
  }

  dot(a: LayersGradient, b: LayersGradient): Deferred {
    // A matrix product is as precise as the engine gets; a plain sum is off by 0.3 % on wasm at 4M values.
    const products = this.#tf.tidy(() => {
      const parts = a.flatMap(({ tensor }, i) => {
        const other = b[i]?.tensor;
        if (!tensor || !other) return [];
        const row = this.#tf.reshape(tensor, [1, -1]);
        const column = this.#tf.reshape(other, [-1, 1]);
        return [this.#tf.reshape(this.#tf.matMul(row, column), [1])];
      });
      return this.#tf.concat(parts);
    });
    return deferredSum(products);
  }

  async apply(gradient: LayersGradient, learningRateScale: number): Promise<void> {
    this.#learningRate.set(learningRateScale);
    try {
      await this.#guard(() => this.#tf.tidy(() => this.#model.optimizer.applyGradients(gradient)));
    } finally {
      this.#learningRate.restore();
    }
  }

  evaluate(batch: ArrayBatch) {
    return this.#guard(() => {
      const { xs, ys } = this.#upload({ xs: batch.xs, ys: batch.ys });
      try {
        const [loss, ...metrics] = this.#tf.tidy(() => {
          const outputs = this.#model.outputs(xs, false);
          return [this.#losses.data(outputs, { ys }), ...this.#losses.metrics(outputs, { ys })];
        });
        if (!loss) throw new Error('unreachable: the loss is always evaluated');
        return { loss: deferredSum(loss), metrics: this.#named(metrics) };
      } finally {
        this.#tf.dispose([...xs, ...ys]);
      }
    });
  }

  async settle(): Promise<void> {
    const [weight] = this.#model.variables;
    if (SYNCHRONOUS.has(this.name) || !weight) return;
    // Reading anything made of a weight waits for every update that was queued before.
    const fence = this.#tf.tidy(() => this.#tf.mean(weight));
    await fence.data();
    fence.dispose();
  }

  memory() {
    return { bytesInUse: this.#watch.bytesInUse, peakBytes: this.#watch.peakBytes, source: 'engine' };
  }

  classify(error: unknown) {
    return classifyError(this.name, error);
  }

  release(...gradients: readonly LayersGradient[]): void {
    for (const gradient of gradients)
      for (const { tensor } of gradient) if (tensor && !tensor.isDisposed) tensor.dispose();
  }

  endRun(): void {
    this.#watch.reset();
  }

  async #guard<T>(work: () => T): Promise<T> {
    try {
      return await this.#watch.guard(work);
    } catch (cause) {
      if (this.name !== 'wasm' || !isDeadWasm(cause)) throw cause;
      throw new TrainingError(
        'outOfMemory',
        'WebAssembly ran out of its heap (about 4 GB) and cannot go on.',
        {
          hint: 'Start again with a smaller micro-batch.',
          cause,
        },
      );
    }
  }

  #upload({ xs, ys, weights = [] }: ArrayBatch): Uploaded {
    const upload = (rows: Rows): Tensor =>
      'indices' in rows
        ? this.#tf.tidy(() => this.#tf.gather(rows.tensor, this.#tf.tensor(rows.indices)))
        : this.#tf.tensor(rows.data, [...rows.shape]);
    return { xs: listOf(xs).map(upload), ys: listOf(ys).map(upload), weights: weights.map(upload) };
  }

  #named(metrics: readonly Tensor[]): Readonly<Record<string, Deferred>> {
    return Object.fromEntries(
      metrics.map((metric, i) => [this.#model.metrics[i]?.name ?? '', deferredSum(metric)]),
    );
  }
}
