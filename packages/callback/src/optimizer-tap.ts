import type { UpdateScale, UpdateScaling } from '@batchwise/backend';
import type { FittedOptimizer, NamedGradients } from './fitted-model.ts';
import { LeakGuard } from './leak-guard.ts';
import type { Tf } from './tf.ts';

/** Applies gradients with the optimizer's own method. */
export type Apply = (gradients: NamedGradients, scale: UpdateScale) => void;

/** What a tap is put on. */
export interface Tapped {
  readonly optimizer: FittedOptimizer;
  /** That of the optimizer. */
  readonly scale: UpdateScaling;
}

/** Optimizers that are tapped now: two taps on one would each take the other's gradients. */
const tapped = new WeakSet<FittedOptimizer>();

/** True while a tap is on the optimizer. */
export const isTapped = (optimizer: FittedOptimizer): boolean => tapped.has(optimizer);

/**
 * Lets `onGradients` have what the optimizer is given to apply, until it is removed. The optimizer is the same object
 * before and after: only two of its methods are covered on the way.
 */
export class OptimizerTap {
  readonly #tapped: Tapped;
  readonly #uncover: readonly (() => void)[];

  constructor(
    tf: Pick<Tf, 'engine'>,
    to: Tapped,
    onGradients: (gradients: NamedGradients, apply: Apply) => void,
  ) {
    const { optimizer, scale } = to;
    this.#tapped = to;
    tapped.add(optimizer);
    const guard = new LeakGuard(tf);
    const own = optimizer.applyGradients.bind(optimizer);
    const apply: Apply = (gradients, at) => {
      scale.set(at);
      scale.follow();
      scale.followed();
      own(gradients);
      scale.restore();
    };
    const minimize = optimizer.minimize.bind(optimizer);
    this.#uncover = [
      cover(optimizer, 'applyGradients', (gradients) => onGradients(gradients, apply)),
      cover(optimizer, 'minimize', (...args) => {
        try {
          // A step that throws leaves what its tape had saved on the device, and nobody else would free it.
          return guard.run(() => minimize(...args));
        } finally {
          // After that, since SGD keeps its rate in a tensor made on the way.
          scale.restore();
        }
      }),
    ];
  }

  /** Safe to call twice. */
  remove(): void {
    const { optimizer, scale } = this.#tapped;
    if (!tapped.delete(optimizer)) return;
    for (const uncover of this.#uncover) uncover();
    scale.restore();
  }
}

/** Puts a method over the one that an object has; the answer takes it away again. */
function cover<Key extends 'applyGradients' | 'minimize'>(
  optimizer: FittedOptimizer,
  key: Key,
  method: FittedOptimizer[Key],
): () => void {
  const before = Object.getOwnPropertyDescriptor(optimizer, key);
  Object.defineProperty(optimizer, key, { value: method, configurable: true, writable: true });
  return () => {
    if (before) Object.defineProperty(optimizer, key, before);
    else Reflect.deleteProperty(optimizer, key);
  };
}
