import { TrainingError } from '@batchwise/core';
import type { CompiledOptimizer } from './compiled-model.ts';

/** Multiplies an optimizer's own learning rate for single updates and gives the original back in the end. */
export class LearningRateKnob {
  readonly #optimizer: CompiledOptimizer;
  #original: number | undefined;
  #present: number | undefined;

  constructor(optimizer: CompiledOptimizer) {
    this.#optimizer = optimizer;
  }

  /**
   * Sets the rate to `scale` times the optimizer's own.
   * @throws TrainingError `invalidOptions` where the optimizer has no rate to set and `scale` is not 1
   */
  set(scale: number): void {
    if (this.#original === undefined) {
      const own = this.#optimizer.learningRate;
      if (typeof own !== 'number') {
        if (scale === 1) return;
        throw new TrainingError('invalidOptions', 'The optimizer has no learningRate to scale.', {
          hint: 'Use a controller that leaves the learning rate alone (rule "none").',
        });
      }
      this.#original = own;
      this.#present = own;
    }
    this.#write(this.#original * scale);
  }

  /** Has the next update write the rate again: SGD keeps it in a tensor, which may be gone. */
  forget(): void {
    this.#present = undefined;
  }

  restore(): void {
    if (this.#original !== undefined) this.#write(this.#original);
    this.#original = undefined;
  }

  #write(rate: number): void {
    if (rate === this.#present) return;
    this.#present = rate;
    if (this.#optimizer.setLearningRate) this.#optimizer.setLearningRate(rate);
    else this.#optimizer.learningRate = rate;
  }
}
