import type { Ability, Backend, Deferred } from '@batchwise/core';
import { listOf, sizeOfBatch, splitBatch, type ArrayBatch, type Rows } from './array-batch.ts';
import { openModel, type CompiledModel } from './compiled-model.ts';
import { deferredSum, deferredValues } from './deferred.ts';
import type { EngineKeeper, Task } from './engine-keeper.ts';
import { keeperOf } from './keeper-of.ts';
import { LearningRateKnob } from './learning-rate.ts';
import { Objective } from './objective.ts';
import { TrainingState } from './training-state.ts';
import type { LayersModel, Tensor, Tf } from './tf.ts';

/** One entry per trainable weight, in the model's order; null where the loss does not depend on it. */
export type LayersGradient = readonly { readonly name: string; readonly tensor: Tensor | null }[];

/** What is wanted of a backend beyond what the loop needs. */
export interface TfjsBackendOptions {
  /**
   * Given the model's metrics on each micro-batch that it is trained on, by name, in the forward pass of training; takes
   * them over. Without it they are not computed.
   */
  readonly onTrainingMetrics?: (metrics: Readonly<Record<string, Deferred>>) => void;
}

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

const UPDATE: Task = { kind: 'apply', examples: 0 };

const taskOf = (kind: Task['kind'], batch: ArrayBatch): Task => ({ kind, examples: sizeOfBatch(batch) });

class TfjsBackend implements Backend<ArrayBatch, LayersGradient> {
  readonly name: string;
  readonly can: ReadonlySet<Ability> = new Set<Ability>([
    'loss',
    'seconds',
    'gradient',
    'memory',
    'exampleLosses',
  ]);
  readonly #tf: Tf;
  readonly #model: CompiledModel;
  readonly #objective: Objective;
  readonly #learningRate: LearningRateKnob;
  readonly #keeper: EngineKeeper;
  readonly #onTrainingMetrics: TfjsBackendOptions['onTrainingMetrics'];

  constructor(tf: Tf, model: CompiledModel, { onTrainingMetrics }: TfjsBackendOptions) {
    this.name = tf.getBackend();
    this.#tf = tf;
    this.#model = model;
    this.#objective = new Objective(tf, model);
    this.#learningRate = new LearningRateKnob(model.optimizer);
    this.#keeper = keeperOf({
      tf,
      state: new TrainingState(tf, model),
      onRestored: () => this.#learningRate.renew(),
    });
    this.#onTrainingMetrics = onTrainingMetrics;
  }

  sizeOf(batch: ArrayBatch): number {
    return sizeOfBatch(batch);
  }

  split(batch: ArrayBatch, microBatchSize: number): ArrayBatch[] {
    return splitBatch(batch, microBatchSize);
  }

  gradient(batch: ArrayBatch, ask?: { readonly exampleLosses: boolean }) {
    const { variables } = this.#model;
    return this.#keeper.guard(taskOf('gradient', batch), () => {
      const examples = this.#upload(batch);
      let metrics: readonly Tensor[] = [];
      let losses: Tensor | undefined;
      try {
        const { value, grads } = this.#tf.variableGrads(() => {
          const outputs = this.#model.outputs(examples.xs, true);
          if (this.#onTrainingMetrics)
            metrics = this.#objective.metrics(outputs, examples).map((metric) => this.#tf.keep(metric));
          if (ask?.exampleLosses) losses = this.#tf.keep(this.#objective.exampleLosses(outputs, examples));
          return this.#objective.trainingLoss(outputs, examples);
        }, [...variables]);
        const gradient = variables.map(({ name }) => ({ name, tensor: grads[name] ?? null }));
        this.#onTrainingMetrics?.(this.#named(metrics));
        return {
          gradient,
          loss: deferredSum(value),
          ...(losses && { exampleLosses: deferredValues(losses) }),
        };
      } finally {
        this.#tf.dispose(Object.values(examples).flat());
      }
    });
  }

  accumulate(total: LayersGradient | undefined, part: LayersGradient, weight: number): LayersGradient {
    if (total === undefined && weight === 1) return part;
    // In one tidy, so that a failure half-way leaves nothing.
    const scaledSums = () =>
      part.map(({ tensor }, i) => {
        const before = total?.[i]?.tensor;
        if (!tensor) return this.#tf.scalar(0);
        const scaled = this.#tf.mul(tensor, weight);
        return before ? this.#tf.add(before, scaled) : scaled;
      });
    const sums = this.#keeper.watch(() => this.#tf.tidy(scaledSums));
    const sum = part.map(({ name, tensor }, i) => ({ name, tensor: tensor ? (sums[i] ?? null) : null }));
    this.release(part, ...(total ? [total] : []));
    return sum;
  }

  dot(a: LayersGradient, b: LayersGradient): Deferred {
    // A matrix product is as precise as the engine gets; a plain sum is off by 0.3 % on wasm at 4M values.
    const inner = () => {
      const parts = a.flatMap(({ tensor }, i) => {
        const other = b[i]?.tensor;
        if (!tensor || !other) return [];
        const row = this.#tf.reshape(tensor, [1, -1]);
        const column = this.#tf.reshape(other, [-1, 1]);
        return [this.#tf.reshape(this.#tf.matMul(row, column), [1])];
      });
      return this.#tf.concat(parts);
    };
    return deferredSum(this.#keeper.watch(() => this.#tf.tidy(inner)));
  }

  async apply(gradient: LayersGradient, learningRateScale: number): Promise<void> {
    this.#learningRate.set(learningRateScale);
    try {
      const update = () => this.#tf.tidy(() => this.#model.optimizer.applyGradients(gradient));
      await this.#keeper.guard(UPDATE, update);
    } finally {
      this.#learningRate.restore();
    }
  }

  evaluate(batch: ArrayBatch) {
    return this.#keeper.guard(taskOf('evaluate', batch), () => {
      const { xs, ys } = this.#upload({ xs: batch.xs, ys: batch.ys });
      try {
        const [loss, ...metrics] = this.#tf.tidy(() => {
          const outputs = this.#model.outputs(xs, false);
          return [this.#objective.dataLoss(outputs, { ys }), ...this.#objective.metrics(outputs, { ys })];
        });
        if (!loss) throw new Error('unreachable: the loss is always evaluated');
        return { loss: deferredSum(loss), metrics: this.#named(metrics) };
      } finally {
        this.#tf.dispose([...xs, ...ys]);
      }
    });
  }

  confirm(): Promise<void> {
    return this.#keeper.confirm();
  }

  settle(): Promise<void> {
    return this.#keeper.settle();
  }

  memory() {
    return this.#keeper.memory();
  }

  classify(error: unknown) {
    return this.#keeper.classify(error);
  }

  revive(cause: unknown): Promise<void> {
    return this.#keeper.revive(cause);
  }

  release(...gradients: readonly LayersGradient[]): void {
    for (const gradient of gradients)
      for (const { tensor } of gradient) if (tensor && !tensor.isDisposed) tensor.dispose();
  }

  endRun(): Promise<void> {
    return this.#keeper.endRun();
  }

  #upload({ xs, ys, weights = [] }: ArrayBatch): Uploaded {
    const upload = (rows: Rows): Tensor => {
      if ('data' in rows) return this.#tf.tensor(rows.data, [...rows.shape]);
      this.#keeper.refuseLost(rows.tensor);
      return this.#tf.tidy(() => this.#tf.gather(rows.tensor, this.#tf.tensor(rows.indices)));
    };
    return { xs: listOf(xs).map(upload), ys: listOf(ys).map(upload), weights: weights.map(upload) };
  }

  #named(metrics: readonly Tensor[]): Readonly<Record<string, Deferred>> {
    return Object.fromEntries(
      metrics.map((metric, i) => [this.#model.metrics[i]?.name ?? '', deferredSum(metric)]),
    );
  }
}

/** A batch on the device. */
interface Uploaded {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  readonly weights: readonly Tensor[];
}
