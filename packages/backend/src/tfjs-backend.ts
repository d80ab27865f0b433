import type { Ability, Backend, BackendSnapshot, Deferred, MergedGradient } from '@batchwise/core';
import { firstHalf, sizeOfBatch, splitBatch, type ArrayBatch } from './array-batch.ts';
import { openModel, type CompiledModel } from './compiled-model.ts';
import { computed, deferredSum, deferredValues } from './deferred.ts';
import type { EngineKeeper, Task } from './engine-keeper.ts';
import { keeperOf } from './keeper-of.ts';
import { presenceOf, tensorsOf, type LayersGradient } from './layers-gradient.ts';
import { innerProduct } from './inner-product.ts';
import { Objective } from './objective.ts';
import { OptimizerScale, type UpdateScaling } from './optimizer-scale.ts';
import { place, type Placed } from './uploaded.ts';
import { isMergedOnHost, mergeOnHost } from './merge-on-host.ts';
import { mergeOnDevice, SUMS_TOLERANCE } from './merge-work.ts';
import { penaltyGradient } from './penalty-gradient.ts';
import type { LayersModel, Tensor, Tf } from './tf.ts';
import { stepRunner, type TracingOptions } from './traced/step-runner.ts';
import type { StepRunner } from './traced/tensor-work.ts';
import { TrainingState, type HostCopy } from './training-state.ts';
import { updateWork } from './update-work.ts';

/** What is wanted of a backend beyond what the loop needs. */
export interface TfjsBackendOptions extends TracingOptions {
  /**
   * Given the model's metrics on each micro-batch that it is trained on, by name, and how many examples they are means
   * over; takes them over. They are of the forward pass of training. Without it they are not computed.
   */
  readonly onTrainingMetrics?: (metrics: Readonly<Record<string, Deferred>>, examples: number) => void;
}

/** The backend of a model of TensorFlow.js. */
export interface TfjsBackend extends Backend<ArrayBatch, LayersGradient> {
  /** What `apply` scales the optimizer with, for updates that somebody else makes with it, one at a time. */
  readonly scale: UpdateScaling;
  endRun(): Promise<void>;
}

/**
 * A compiled LayersModel (or Sequential) as a backend for `train`. Its own loss, metrics, optimizer and regularizers
 * are used, on the engine that `tf` is set to. The optimizer keeps its state, so the model can be saved or trained on
 * afterwards; its learning rate is scaled for single updates and given back after each.
 * @throws TrainingError `invalidOptions` when the model is not compiled or has nothing to train
 */
export function tfjsBackend(tf: Tf, model: LayersModel, options: TfjsBackendOptions = {}): TfjsBackend {
  return new ModelBackend(tf, model, options);
}

const UPDATE: Task = { kind: 'apply', examples: 0 };
const NO_EXAMPLES: Task = { kind: 'evaluate', examples: 0 };

const taskOf = (kind: Task['kind'], batch: ArrayBatch): Task => ({ kind, examples: sizeOfBatch(batch) });

class ModelBackend implements TfjsBackend {
  readonly name: string;
  readonly can: ReadonlySet<Ability> = new Set<Ability>([
    'loss',
    'seconds',
    'gradient',
    'memory',
    'exampleLosses',
  ]);
  readonly scale: OptimizerScale;
  readonly #tf: Tf;
  readonly #model: CompiledModel;
  readonly #objective: Objective;
  readonly #state: TrainingState;
  readonly #keeper: EngineKeeper;
  readonly #steps: StepRunner;
  readonly #onTrainingMetrics: TfjsBackendOptions['onTrainingMetrics'];

  constructor(tf: Tf, model: LayersModel, options: TfjsBackendOptions) {
    this.name = tf.getBackend();
    this.#tf = tf;
    this.#model = openModel(model);
    const { optimizer } = this.#model;
    this.#objective = new Objective(tf, this.#model);
    this.scale = new OptimizerScale(tf, optimizer);
    this.#state = new TrainingState(tf, this.#model);
    this.#keeper = keeperOf({
      tf,
      state: this.#state,
      onRestored: () => this.scale.written(),
    });
    this.#steps = stepRunner(tf, model, { ...options, optimizer });
    this.#onTrainingMetrics = options.onTrainingMetrics;
  }

  secondMoment() {
    return this.scale.secondMoment();
  }

  sizeOf(batch: ArrayBatch): number {
    return sizeOfBatch(batch);
  }

  split(batch: ArrayBatch, microBatchSize: number): ArrayBatch[] {
    return splitBatch(batch, microBatchSize);
  }

  gradient(batch: ArrayBatch, ask?: { readonly exampleLosses: boolean }) {
    return this.#keeper.guard(taskOf('gradient', batch), () => {
      const examples = this.#place(batch);
      const wanted = {
        exampleLosses: ask?.exampleLosses === true,
        metrics: this.#onTrainingMetrics !== undefined,
      };
      const on = (placed: Placed) => ({
        inputs: [...placed.inputs, ...this.#model.weights],
        compute: () => this.#objective.lossAndGradient(placed.rows(), wanted),
      });
      try {
        const results = this.#steps.run({
          part: 'gradient',
          key: `${examples.key} ${JSON.stringify(wanted)}`,
          examples: sizeOfBatch(batch),
          ...on(examples),
          tolerance: SUMS_TOLERANCE,
          family: `${examples.family} ${JSON.stringify(wanted)}`,
          onFewer: () => {
            const half = firstHalf(batch);
            if (!half) return undefined;
            const placed = this.#place(half);
            return { ...on(placed), examples: sizeOfBatch(half), dispose: () => placed.dispose() };
          },
        });
        const { variables } = this.#model;
        const [loss = null, ...others] = results;
        const tensors = others.slice(0, variables.length);
        const [losses, ...metrics] = others.slice(variables.length);
        this.#onTrainingMetrics?.(this.#named(metrics), sizeOfBatch(batch));
        return {
          gradient: variables.map(({ name }, i) => ({ name, tensor: tensors[i] ?? null })),
          loss: deferredSum(computed(loss)),
          ...(losses && { exampleLosses: deferredValues(losses) }),
        };
      } finally {
        examples.dispose();
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
    const [products = null] = this.#keeper.watch(() =>
      this.#steps.run({
        part: 'dot',
        key: `${presenceOf(a)} ${a === b ? '' : presenceOf(b)}`,
        inputs: a === b ? tensorsOf(a) : [...tensorsOf(a), ...tensorsOf(b)],
        tolerance: SUMS_TOLERANCE,
        compute: () => [innerProduct(this.#tf, a, b)],
      }),
    );
    return deferredSum(computed(products));
  }

  merge(
    [a, b]: readonly [LayersGradient, LayersGradient],
    weights: readonly [number, number],
  ): MergedGradient<LayersGradient> {
    const merged = this.#keeper.watch(() =>
      isMergedOnHost(this.#tf, a)
        ? mergeOnHost(this.#tf, [a, b], weights)
        : mergeOnDevice(this.#tf, this.#steps, { gradients: [a, b], weights }),
    );
    this.release(a, b);
    return merged;
  }

  async apply(gradient: LayersGradient, learningRateScale: number, momentDecayScale?: number): Promise<void> {
    this.scale.set({ learningRateScale, momentDecayScale });
    try {
      await this.#keeper.guard(UPDATE, () => {
        this.scale.follow();
        return this.#steps.run(updateWork(this.#model, gradient));
      });
      this.scale.followed();
    } finally {
      this.scale.restore();
    }
  }

  penaltyGradient(): Promise<LayersGradient | undefined> {
    return this.#keeper.guard(NO_EXAMPLES, () => penaltyGradient(this.#tf, this.#model));
  }

  async snapshot(): Promise<BackendSnapshot> {
    const { held } = this.scale;
    let copy: HostCopy | undefined = await this.#state.read();
    const writeBack = (): void => {
      if (!copy) return;
      this.#state.write(copy);
      this.scale.written(held);
    };
    return { restore: () => this.#keeper.watch(writeBack), dispose: () => (copy = undefined) };
  }

  evaluate(batch: ArrayBatch) {
    return this.#keeper.guard(taskOf('evaluate', batch), () => {
      const examples = this.#place({ xs: batch.xs, ys: batch.ys });
      try {
        const [loss = null, ...metrics] = this.#steps.run({
          part: 'evaluation',
          key: examples.key,
          inputs: [...examples.inputs, ...this.#model.weights],
          tolerance: SUMS_TOLERANCE,
          compute: () => {
            const { xs, ys } = examples.rows();
            const outputs = this.#model.outputs(xs, false);
            return [this.#objective.dataLoss(outputs, { ys }), ...this.#objective.metrics(outputs, { ys })];
          },
        });
        return { loss: deferredSum(computed(loss)), metrics: this.#named(metrics) };
      } finally {
        examples.dispose();
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
    for (const tensor of gradients.flatMap(tensorsOf)) if (!tensor.isDisposed) tensor.dispose();
  }

  /** Begins a new peak; the graphs of the run stay. */
  resetPeak(): Promise<void> {
    return this.#keeper.endRun();
  }

  async endRun(): Promise<void> {
    this.#steps.dispose();
    this.#keeper.watch(() => this.scale.reset());
    await this.#keeper.endRun();
  }

  #place(batch: ArrayBatch): Placed {
    return place(this.#tf, batch, (tensor) => this.#keeper.refuseLost(tensor));
  }

  #named(metrics: readonly (Tensor | null)[]): Readonly<Record<string, Deferred>> {
    return Object.fromEntries(
      metrics.map((metric, i) => [this.#model.metrics[i]?.name ?? '', deferredSum(computed(metric))]),
    );
  }
}
