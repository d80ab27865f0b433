import { TrainingError } from '@batchwise/core';
import type { CompiledOptimizer } from './compiled-model.ts';

/**
 * Multiplies an optimizer's own learning rate for one update at a time. In between the optimizer shows the rate that its
 * owner gave it, so that a schedule which reads or writes it stays in force.
 */
export class LearningRateKnob {
  readonly #optimizer: CompiledOptimizer;
  #own: number | undefined;

  constructor(optimizer: CompiledOptimizer) {
    this.#optimizer = optimizer;
  }

  /**
   * Sets the rate to `scale` times the optimizer's own, until `restore`.
   * @throws TrainingError `invalidOptions` where the optimizer has no rate to set and `scale` is not 1
   */
  set(scale: number): void {
    if (scale === 1) return;
    const own = this.#own ?? this.#optimizer.learningRate;
    if (typeof own !== 'number')
      throw new TrainingError('invalidOptions', 'The optimizer has no learningRate to scale.', {
        hint: 'Use a controller that leaves the learning rate alone (rule "none").',
      });
    this.#own = own;
    this.#write(own * scale);
  }

  /** Writes the present rate again: SGD keeps it in a tensor, which may be gone with its device. */
  renew(): void {
    const { learningRate } = this.#optimizer;
    if (typeof learningRate === 'number') this.#write(learningRate);
  }

  /** Gives the optimizer its own rate back; safe to call twice. */
  restore(): void {
    if (this.#own !== undefined) this.#write(this.#own);
    this.#own = undefined;
  }

  /** SGD and momentum keep the rate in a tensor, which only their setter renews; the others have no setter. */
  #write(rate: number): void {
    if (this.#optimizer.setLearningRate) this.#optimizer.setLearningRate(rate);
    else this.#optimizer.learningRate = rate;
  }
}
