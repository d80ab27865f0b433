import type { CompiledOptimizer } from './compiled-model.ts';
import type { Tf } from './tf.ts';

/**
 * Keeps velocities in step with the learning rate where they hold it. Of the optimizers of TensorFlow.js only RMSProp with
 * momentum does, v ← m v + η g/√s and w ← w − v: where the rate becomes η', v is multiplied by η'/η first (Goyal et al.
 * 2017, arXiv 1706.02677, section 3.1, remark 2). Momentum itself is kept as a ← m a + g, w ← w − η a, free of the rate.
 */
export class Velocity {
  readonly #tf: Tf;
  readonly #optimizer: CompiledOptimizer;
  /** The factor on the learning rate that the velocities hold. */
  scale = 1;

  constructor(tf: Tf, optimizer: CompiledOptimizer) {
    this.#tf = tf;
    this.#optimizer = optimizer;
  }

  /** For an update at `scale` times the learning rate. Set `scale` once that is done. */
  follow(scale: number): void {
    const { momentum, accumulatedMoments = [] } = this.#optimizer;
    const holdsRate = this.#optimizer.getClassName?.() === 'RMSProp' && momentum !== 0;
    if (!holdsRate || scale === this.scale) return;
    this.#tf.tidy(() => {
      for (const { variable } of accumulatedMoments)
        variable.assign(this.#tf.mul(variable, scale / this.scale));
    });
  }
}
