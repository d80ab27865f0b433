import type { Backend } from './backend.ts';
import type { Clock } from './clock.ts';
import type { Deferred, GradientMoments } from './measurements.ts';

/**
 * Collects the inner products of one step's micro-batch gradients as they come. The dot product with the running
 * mean gives all cross products at once: with s = Σ_{j<k} (b_j/B) g_j, it is b_k (s · g_k) B = Σ_{j<k} b_j b_k (g_j · g_k).
 */
export class GradientMeter<Gradient> {
  readonly #backend: Pick<Backend<unknown, Gradient>, 'dot'>;
  readonly #clock: Clock;
  readonly #sizes: number[] = [];
  readonly #squaredNorms: Deferred[] = [];
  readonly #withEarlier: { product: Deferred; size: number }[] = [];
  /** Time spent here. */
  seconds = 0;

  constructor(backend: Pick<Backend<unknown, Gradient>, 'dot'>, clock: Clock) {
    this.#backend = backend;
    this.#clock = clock;
  }

  /** `earlier` is Σ_{j<k} (b_j/B) g_j, absent for the first part. */
  add(earlier: Gradient | undefined, part: Gradient, size: number): void {
    const started = this.#clock();
    this.#sizes.push(size);
    this.#squaredNorms.push(this.#backend.dot(part, part));
    if (earlier !== undefined) this.#withEarlier.push({ product: this.#backend.dot(earlier, part), size });
    this.seconds += this.#clock() - started;
  }

  /** `total` is B, the examples of the whole step. */
  async read(total: number): Promise<GradientMoments> {
    const started = this.#clock();
    const squaredNorms = await Promise.all(this.#squaredNorms.map((norm) => norm.read()));
    let crossProduct = 0;
    for (const { product, size } of this.#withEarlier) crossProduct += (await product.read()) * size * total;
    this.seconds += this.#clock() - started;
    return { sizes: this.#sizes, squaredNorms, crossProduct };
  }

  dispose(): void {
    for (const deferred of [...this.#squaredNorms, ...this.#withEarlier.map(({ product }) => product)])
      deferred.dispose();
  }
}
