import type { SecondMoment } from '@batchwise/core';
import type { CompiledOptimizer } from './compiled-model.ts';

/** What Adam's averages were configured with. */
interface Moments {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * Lets Adam's averages forget κ times as fast: 1 − β' = κ (1 − β), ε' = ε/√κ (Malladi et al. 2022, arXiv 2205.10287,
 * the square root scaling rule, of which η' = η √κ is the other half). Other optimizers of TensorFlow.js need no such
 * correction: momentum is kept as a ← m a + g, w ← w − η a, free of the learning rate, so that the correction of Goyal
 * et al. 2017 (section 3.1, remark 2) has nothing to correct.
 */
export class MomentKnob {
  readonly #optimizer: CompiledOptimizer;
  #original: Moments | undefined;

  constructor(optimizer: CompiledOptimizer) {
    this.#optimizer = optimizer;
  }

  /** Adam's second-moment estimate as it is now; undefined for other optimizers. */
  estimate(): SecondMoment | undefined {
    const { iterations_: updates = 0 } = this.#optimizer;
    const { beta2 } = this.#original ?? this.#optimizer;
    if (this.#optimizer.getClassName?.() !== 'Adam' || beta2 === undefined) return undefined;
    return { decay: beta2, updates };
  }

  /** Counted from what was configured; 1 gives that back. */
  set(scale: number): void {
    if (scale === 1 && this.#original === undefined) return;
    const { beta1, beta2, epsilon } = this.#original ?? this.#optimizer;
    if (this.#optimizer.getClassName?.() !== 'Adam') return;
    if (beta1 === undefined || beta2 === undefined || epsilon === undefined) return;
    this.#original = scale === 1 ? undefined : { beta1, beta2, epsilon };
    this.#optimizer.beta1 = Math.max(0, 1 - scale * (1 - beta1));
    this.#optimizer.beta2 = Math.max(0, 1 - scale * (1 - beta2));
    this.#optimizer.epsilon = epsilon / Math.sqrt(scale);
  }
}
