import type { SecondMoment } from '@batchwise/core';
import type { CompiledOptimizer } from './compiled-model.ts';

type Decay = 'beta1' | 'beta2' | 'decay';

/** What the averages of an optimizer forget by, and the power of κ that its ε goes with. */
interface Averages {
  readonly decays: readonly Decay[];
  readonly epsilonPower: number;
}

/** RMSProp of TensorFlow.js divides by √(s + ε), where Adam divides by √s + ε. */
const AVERAGES: Readonly<Record<string, Averages>> = {
  Adam: { decays: ['beta1', 'beta2'], epsilonPower: 0.5 },
  RMSProp: { decays: ['decay'], epsilonPower: 1 },
};

/**
 * Lets the averages of Adam and RMSProp forget κ times as fast: 1 − β' = κ (1 − β), and ε' = ε/√κ beside the root or ε/κ
 * under it (Malladi et al. 2022, arXiv 2205.10287, the square root scaling rules, of which η' = η √κ is the other half).
 * There is no such rule for the other optimizers of TensorFlow.js.
 */
export class MomentKnob {
  readonly #optimizer: CompiledOptimizer;
  /** What was configured, while something else is set. */
  #original: Readonly<Record<Decay | 'epsilon', number | undefined>> | undefined;

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
    const averages = AVERAGES[this.#optimizer.getClassName?.() ?? ''];
    if (!averages) return;
    const { beta1, beta2, decay, epsilon } = this.#optimizer;
    const original = this.#original ?? { beta1, beta2, decay, epsilon };
    for (const name of averages.decays) {
      const configured = original[name];
      if (configured !== undefined) this.#optimizer[name] = Math.max(0, 1 - scale * (1 - configured));
    }
    if (original.epsilon !== undefined)
      this.#optimizer.epsilon = original.epsilon / scale ** averages.epsilonPower;
    this.#original = scale === 1 ? undefined : original;
  }
}
