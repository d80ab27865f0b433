import { GradientMeter, GradientSum, type Backend, type Clock, type GradientMoments } from '@batchwise/core';
import type { LayersGradient } from '@batchwise/backend';
import type { NamedGradients } from './fitted-model.ts';

/** The arithmetic of gradients. */
export type GradientMaths = Pick<
  Backend<unknown, LayersGradient>,
  'accumulate' | 'dot' | 'merge' | 'release' | 'penaltyGradient'
>;

/**
 * With inner products by name: what the optimizer is given has a place for each weight that was trainable when the model was
 * compiled, and a penalty's gradient for each that is now.
 */
const byName = (maths: GradientMaths): Omit<GradientMaths, 'accumulate'> => ({
  dot: (a, b) => maths.dot(a, inOrderOf(a, b)),
  release: (...gradients) => maths.release(...gradients),
  ...(maths.merge && { merge: maths.merge.bind(maths) }),
  ...(maths.penaltyGradient && { penaltyGradient: maths.penaltyGradient.bind(maths) }),
});

function inOrderOf(first: LayersGradient, other: LayersGradient): LayersGradient {
  if (first.length === other.length && first.every(({ name }, i) => other[i]?.name === name)) return other;
  return first.map(({ name }) => other.find((entry) => entry.name === name) ?? { name, tensor: null });
}

/** What a step is gathered from. */
export interface StepParts {
  /** Examples in all parts together. */
  readonly size: number;
  readonly count: number;
}

/**
 * The gradient of one step, gathered from parts that were all computed at the same weights: their mean by examples, and
 * on a measured step the inner products that a noise scale estimate needs.
 */
export class StepGradient {
  readonly #maths: GradientMaths;
  readonly #parts: StepParts;
  readonly #meter: GradientMeter<LayersGradient> | undefined;
  readonly #sum: GradientSum<LayersGradient>;
  #examples = 0;

  constructor(maths: GradientMaths, parts: StepParts, meter: { readonly clock: Clock } | undefined) {
    this.#maths = maths;
    this.#parts = parts;
    this.#meter = meter && new GradientMeter(byName(maths), meter.clock);
    this.#sum = new GradientSum(maths, parts.size, this.#meter);
  }

  /** Examples of the parts so far. */
  get examples(): number {
    return this.#examples;
  }

  /** Time spent in measuring. */
  get measuringSeconds(): number {
    return this.#meter?.seconds ?? 0;
  }

  /** Called once, at the weights of the step and before its parts. */
  async open(): Promise<void> {
    await this.#meter?.open();
  }

  /** Adds the mean gradient of one part; the tensors stay the caller's. */
  add(gradients: NamedGradients, examples: number): void {
    const part = gradients.map(({ name, tensor }) => ({ name, tensor: tensor ? tensor.clone() : null }));
    this.#sum.add(part, examples, this.#parts.count === 2);
    this.#examples += examples;
  }

  /**
   * Hands the sum Σ (b_k/B) g_k over the parts so far to `use` and frees it afterwards; does nothing where there is none.
   */
  spend(use: (sum: LayersGradient) => void): void {
    const sum = this.#sum.take();
    if (!sum) return;
    try {
      use(sum);
    } finally {
      this.#maths.release(sum);
    }
  }

  /** The inner products of a measured step, once all its parts are there. */
  async moments(): Promise<GradientMoments | undefined> {
    const { size } = this.#parts;
    return this.#examples === size ? this.#meter?.read(size) : undefined;
  }

  dispose(): void {
    this.#sum.dispose();
    this.#meter?.dispose();
  }
}
