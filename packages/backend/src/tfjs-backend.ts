import { TrainingError, type Backend, type Deferred, type Measurement } from '@batchwise/core';
import { listOf, sizeOfBatch, splitBatch, type ArrayBatch, type Rows } from './array-batch.ts';
import { openModel, type CompiledModel } from './compiled-model.ts';
import { deferredSum } from './deferred.ts';
import type { EngineKeeper, Task } from './engine-keeper.ts';
import { keeperOf } from './keeper-of.ts';
import { LearningRateKnob } from './learning-rate.ts';
import { MomentKnob } from './moment-knob.ts';
import { penaltyGradient } from './penalty-gradient.ts';
import { TrainingState, type HostCopy } from './training-state.ts';
import type { LayersModel, Scalar, Tensor, Tf } from './tf.ts';

/** One entry per trainable weight, in the model's order; null where the loss does not depend on it. */
export type LayersGradient = readonly { readonly name: string; readonly tensor: Tensor | null }[];

/**
 * A compiled LayersModel (or Sequential) as a backend for `train`. Its own loss, metrics, optimizer and regularizers
 * are used, on the engine that `tf` is set to. The optimizer keeps its state, so the model can be saved or trained on
 * afterwards; its learning rate is scaled for single updates and given back at the end of each run.
 * @throws TrainingError `invalidOptions` when the model is not compiled or has nothing to train
 */
export function tfjsBackend(tf: Tf, model: LayersModel): Backend<ArrayBatch, LayersGradient> {
  return new TfjsBackend(tf, openModel(model));
}

const UPDATE: Task = { kind: 'apply', examples: 0 };
const PENALTY: Task = { kind: 'gradient', examples: 0 };

const taskOf = (kind: Task['kind'], batch: ArrayBatch): Task => ({ kind, examples: sizeOfBatch(batch) });

class TfjsBackend implements Backend<ArrayBatch, LayersGradient> {
  readonly name: string;
  readonly can: ReadonlySet<Measurement> = new Set<Measurement>(['loss', 'seconds', 'gradient', 'memory']);
  readonly #tf: Tf;
  readonly #model: CompiledModel;
  readonly #learningRate: LearningRateKnob;
  readonly #moments: MomentKnob;
  readonly #state: TrainingState;
  readonly #keeper: EngineKeeper;

  constructor(tf: Tf, model: CompiledModel) {
    this.name = tf.getBackend();
    this.#tf = tf;
    this.#model = model;
    this.#learningRate = new LearningRateKnob(model.optimizer);
    this.#moments = new MomentKnob(model.optimizer);
    this.#state = new TrainingState(tf, model);
    this.#keeper = keeperOf({ tf, state: this.#state, onRestored: () => this.#learningRate.forget() });
  }

  sizeOf(batch: ArrayBatch): number {
    return sizeOfBatch(batch);
  }

  split(batch: ArrayBatch, microBatchSize: number): ArrayBatch[] {
    return splitBatch(batch, microBatchSize);
  }

  gradient(batch: ArrayBatch) {
    const { variables } = this.#model;
    return this.#keeper.guard(taskOf('gradient', batch), () => {
      const [xs, ys] = this.#upload(batch);
      try {
        const { value, grads } = this.#tf.variableGrads(() => this.#trainingLoss(xs, ys), [...variables]);
        const gradient = variables.map(({ name }) => ({ name, tensor: grads[name] ?? null }));
        return { gradient, loss: deferredSum(value) };
      } finally {
        this.#tf.dispose([...xs, ...ys]);
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

  async apply(gradient: LayersGradient, learningRateScale: number, momentDecayScale = 1): Promise<void> {
    this.#learningRate.set(learningRateScale);
    this.#moments.set(momentDecayScale);
    const update = () => this.#tf.tidy(() => this.#model.optimizer.applyGradients(gradient));
    await this.#keeper.guard(UPDATE, update);
  }

  penaltyGradient(): Promise<LayersGradient | undefined> {
    return this.#keeper.guard(PENALTY, () => penaltyGradient(this.#tf, this.#model));
  }

  async snapshot() {
    let copy: HostCopy | undefined = await this.#state.read();
    return {
      restore: () => {
        if (copy) this.#state.write(copy);
        this.#learningRate.forget();
      },
      dispose: () => void (copy = undefined),
    };
  }

  evaluate(batch: ArrayBatch) {
    return this.#keeper.guard(taskOf('evaluate', batch), () => {
      const [xs, ys] = this.#upload(batch);
      const { tidy, mean } = this.#tf;
      try {
        const values = tidy(() => {
          const outputs = this.#model.outputs(xs, false);
          const metrics = this.#model.metrics.map(({ metric, output }) =>
            mean(metric(at(ys, output, 'target'), at(outputs, output, 'output'))),
          );
          return [this.#dataLoss(ys, outputs), ...metrics];
        });
        const [loss, ...metrics] = values.map((value) => deferredSum(value));
        const named = metrics.map((metric, i) => [this.#model.metrics[i]?.name ?? '', metric] as const);
        if (!loss) throw new Error('unreachable: the loss is always evaluated');
        return { loss, metrics: Object.fromEntries(named) };
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
    this.#learningRate.restore();
    this.#moments.set(1);
    return this.#keeper.endRun();
  }

  #upload(batch: ArrayBatch): [Tensor[], Tensor[]] {
    const upload = (rows: Rows): Tensor => {
      if ('data' in rows) return this.#tf.tensor(rows.data, [...rows.shape]);
      this.#keeper.refuseLost(rows.tensor);
      return this.#tf.tidy(() => this.#tf.gather(rows.tensor, this.#tf.tensor(rows.indices)));
    };
    return [listOf(batch.xs).map(upload), listOf(batch.ys).map(upload)];
  }

  #trainingLoss(xs: readonly Tensor[], ys: readonly Tensor[]): Scalar {
    const loss = this.#dataLoss(ys, this.#model.outputs(xs, true));
    return this.#model.penalties().reduce((sum, penalty) => this.#tf.add(sum, penalty), loss);
  }

  /** The sum over outputs of each one's mean loss per example, as TensorFlow.js defines it. */
  #dataLoss(ys: readonly Tensor[], outputs: readonly Tensor[]): Scalar {
    const losses = this.#model.losses.map((loss, i) =>
      this.#tf.mean<Scalar>(loss(at(ys, i, 'target'), at(outputs, i, 'output'))),
    );
    return losses.reduce((sum, loss) => this.#tf.add(sum, loss));
  }
}

function at(tensors: readonly Tensor[], index: number, what: 'target' | 'output'): Tensor {
  const tensor = tensors[index];
  if (tensor) return tensor;
  throw new TrainingError(
    'invalidOptions',
    `The model needs ${what} ${index + 1}, but there are ${tensors.length}.`,
    {
      hint: 'Give the batch one ys for each output of the model.',
    },
  );
}
