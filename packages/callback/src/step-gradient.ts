import { GradientMeter, type Backend, type Clock, type GradientMoments } from '@batchwise/core';
import type { LayersGradient } from '@batchwise/backend';
import type { NamedGradients } from './fitted-model.ts';

/** The arithmetic of gradients. */
export type GradientMaths = Pick<Backend<unknown, LayersGradient>, 'accumulate' | 'dot' | 'release'>;

/**
 * The gradient of one step, gathered from parts that were all computed at the same weights: their mean by examples, and
 * on a measured step the inner products that a noise scale estimate needs.
 */
export class StepGradient {
  readonly #maths: GradientMaths;
  readonly #size: number;
  readonly #meter: GradientMeter<LayersGradient> | undefined;
  #examples = 0;
  #mean: LayersGradient | undefined;

  /** `size` is the number of examples in all parts together. */
  constructor(maths: GradientMaths, size: number, meter: { readonly clock: Clock } | undefined) {
    this.#maths = maths;
    this.#size = size;
    this.#meter = meter && new GradientMeter(maths, meter.clock);
  }

  /** Examples of the parts so far. */
  get examples(): number {
    return this.#examples;
  }

  /** Time spent in measuring. */
  get measuringSeconds(): number {
    return this.#meter?.seconds ?? 0;
  }

  /** Adds the mean gradient of one part; the tensors stay the caller's. */
  add(gradients: NamedGradients, examples: number): void {
    const part = gradients.map(({ name, tensor }) => ({ name, tensor: tensor ? tensor.clone() : null }));
    this.#meter?.add(this.#mean, part, examples);
    this.#mean = this.#maths.accumulate(this.#mean, part, examples / this.#size);
    this.#examples += examples;
  }

  /**
   * Hands the sum Σ (b_k/B) g_k over the parts so far to `use` and frees it afterwards; does nothing where there is none.
   */
  spend(use: (sum: LayersGradient) => void): void {
    const mean = this.#mean;
    this.#mean = undefined;
    if (!mean) return;
    try {
      use(mean);
    } finally {
      this.#maths.release(mean);
    }
  }

  /** The inner products of a measured step, once all its parts are there. */
  async moments(): Promise<GradientMoments | undefined> {
    return this.#examples === this.#size ? this.#meter?.read(this.#size) : undefined;
  }

  dispose(): void {
    this.spend(() => undefined);
    this.#meter?.dispose();
  }
}
