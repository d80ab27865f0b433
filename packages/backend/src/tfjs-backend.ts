import { TrainingError, type Backend, type Deferred, type Measurement } from '@batchwise/core';
import { listOf, sizeOfBatch, splitBatch, type ArrayBatch, type Rows } from './array-batch.ts';
import { openModel, type CompiledModel } from './compiled-model.ts';
import { deferredSum } from './deferred.ts';
import type { EngineKeeper, Task } from './engine-keeper.ts';
import { keeperOf } from './keeper-of.ts';
import { LearningRateKnob } from './learning-rate.ts';
import { TrainingState } from './training-state.ts';
import type { LayersModel, Scalar, Tensor, Tf } from './tf.ts';
import { stepRunner, type TracingOptions } from './traced/step-runner.ts';
import type { StepRunner } from './traced/tensor-work.ts';
import { updateWork } from './update-work.ts';

/** One entry per trainable weight, in the model's order; null where the loss does not depend on it. */
export type LayersGradient = readonly { readonly name: string; readonly tensor: Tensor | null }[];

/**
 * A compiled LayersModel (or Sequential) as a backend for `train`. Its own loss, metrics, optimizer and regularizers
 * are used, on the engine that `tf` is set to. The optimizer keeps its state, so the model can be saved or trained on
 * afterwards; its learning rate is scaled for single updates and given back at the end of each run.
 * @throws TrainingError `invalidOptions` when the model is not compiled or has nothing to train
 */
export function tfjsBackend(
  tf: Tf,
  model: LayersModel,
  options: TracingOptions = {},
): Backend<ArrayBatch, LayersGradient> {
  return new TfjsBackend(tf, model, options);
}

const UPDATE: Task = { kind: 'apply', examples: 0 };

const taskOf = (kind: Task['kind'], batch: ArrayBatch): Task => ({ kind, examples: sizeOfBatch(batch) });

class TfjsBackend implements Backend<ArrayBatch, LayersGradient> {
  readonly name: string;
  readonly can: ReadonlySet<Measurement> = new Set<Measurement>(['loss', 'seconds', 'gradient', 'memory']);
  readonly #tf: Tf;
  readonly #model: CompiledModel;
  readonly #learningRate: LearningRateKnob;
  readonly #keeper: EngineKeeper;
  readonly #steps: StepRunner;

  constructor(tf: Tf, model: LayersModel, options: TracingOptions) {
    this.name = tf.getBackend();
    this.#tf = tf;
    this.#model = openModel(model);
    const { optimizer } = this.#model;
    this.#learningRate = new LearningRateKnob(optimizer);
    this.#keeper = keeperOf({
      tf,
      state: new TrainingState(tf, this.#model),
      onRestored: () => this.#learningRate.forget(),
    });
    this.#steps = stepRunner(tf, model, { ...options, optimizer });
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
        const [loss, ...tensors] = this.#steps.run({
          part: 'gradient',
          key: shapesOf(xs, ys),
          examples: sizeOfBatch(batch),
          inputs: [...xs, ...ys, ...this.#model.weights],
          tolerance: SUMS_TOLERANCE,
          compute: () => {
            const { value, grads } = this.#tf.variableGrads(() => this.#trainingLoss(xs, ys), [...variables]);
            return [value, ...variables.map(({ name }) => grads[name] ?? null)];
          },
        });
        if (!loss) throw new Error('unreachable: the loss is always computed');
        const gradient = variables.map(({ name }, i) => ({ name, tensor: tensors[i] ?? null }));
        return { gradient, loss: deferredSum(loss) };
      } finally {
        this.#tf.dispose([...xs, ...ys]);
      }
    });
  }

  accumulate(total: LayersGradient | undefined, part: LayersGradient, weight: number): LayersGradient {
    if (total === undefined && weight === 1) return part;
    const scaledSums = (factor: number) =>
      part.map(({ tensor }, i) => {
        const before = total?.[i]?.tensor;
        if (!tensor) return null;
        const scaled = this.#tf.mul(tensor, factor);
        return before ? this.#tf.add(before, scaled) : scaled;
      });
    // In one piece, so that a failure half-way leaves nothing.
    const sums = this.#keeper.watch(() =>
      this.#steps.run({
        part: 'accumulate',
        key: `${presenceOf(part)} ${total ? presenceOf(total) : ''}`,
        inputs: [...tensorsOf(part), ...tensorsOf(total ?? [])],
        numbers: [weight],
        tolerance: SUMS_TOLERANCE,
        compute: () => scaledSums(weight),
        rehearsal: { numbers: [weight / 2], compute: () => scaledSums(weight / 2) },
      }),
    );
    const sum = part.map(({ name }, i) => ({ name, tensor: sums[i] ?? null }));
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
      return [this.#tf.concat(parts)];
    };
    const [products] = this.#keeper.watch(() =>
      this.#steps.run({
        part: 'dot',
        key: `${presenceOf(a)} ${a === b ? '' : presenceOf(b)}`,
        inputs: a === b ? tensorsOf(a) : [...tensorsOf(a), ...tensorsOf(b)],
        tolerance: SUMS_TOLERANCE,
        compute: inner,
      }),
    );
    if (!products) throw new Error('unreachable: the products are always computed');
    return deferredSum(products);
  }

  async apply(gradient: LayersGradient, learningRateScale: number): Promise<void> {
    this.#learningRate.set(learningRateScale);
    await this.#keeper.guard(UPDATE, () => void this.#steps.run(updateWork(this.#model, gradient)));
  }

  evaluate(batch: ArrayBatch) {
    return this.#keeper.guard(taskOf('evaluate', batch), () => {
      const [xs, ys] = this.#upload(batch);
      const { mean } = this.#tf;
      try {
        const values = this.#steps.run({
          part: 'evaluation',
          key: shapesOf(xs, ys),
          inputs: [...xs, ...ys, ...this.#model.weights],
          tolerance: SUMS_TOLERANCE,
          compute: () => {
            const outputs = this.#model.outputs(xs, false);
            const metrics = this.#model.metrics.map(({ metric, output }) =>
              mean(metric(at(ys, output, 'target'), at(outputs, output, 'output'))),
            );
            return [this.#dataLoss(ys, outputs), ...metrics];
          },
        });
        const [loss, ...metrics] = values.flatMap((value) => (value ? [deferredSum(value)] : []));
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
    this.#steps.dispose();
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

/** Sums of the same values in another order, relative to the largest. */
const SUMS_TOLERANCE = 1e-4;

const shapesOf = (...lists: readonly (readonly Tensor[])[]): string =>
  lists.map((list) => list.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join()).join(' -> ');

/** Which weights have a gradient. */
const presenceOf = (gradient: LayersGradient): string =>
  gradient.map(({ tensor }) => (tensor ? '+' : '-')).join('');

const tensorsOf = (gradient: LayersGradient): readonly Tensor[] =>
  gradient.flatMap(({ tensor }) => tensor ?? []);

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
