import type { Backend } from './backend.ts';
import type { Clock } from './clock.ts';
import type { Deferred, GradientMoments } from './measurements.ts';

/**
 * Collects the inner products of one step's micro-batch gradients as they come. The dot product with the running
 * mean gives all cross products at once: with s = Σ_{j<k} (b_j/B) g_j, it is b_k (s · g_k) B = Σ_{j<k} b_j b_k (g_j · g_k).
 */
export class GradientMeter<Gradient> {
  readonly #backend: Pick<Backend<unknown, Gradient>, 'dot' | 'release' | 'penaltyGradient'>;
  readonly #clock: Clock;
  readonly #penaltyProducts: Deferred[] = [];
  #penalty: { readonly gradient: Gradient; readonly squaredNorm: Deferred } | undefined;
  readonly #sizes: number[] = [];
  readonly #squaredNorms: Deferred[] = [];
  readonly #withEarlier: { product: Deferred; size: number }[] = [];
  /** Time spent here, and on gradients that are for measuring only. */
  seconds = 0;

  constructor(
    backend: Pick<Backend<unknown, Gradient>, 'dot' | 'release' | 'penaltyGradient'>,
    clock: Clock,
  ) {
    this.#backend = backend;
    this.#clock = clock;
  }

  /** Called once, at the weights of the step. */
  async open(): Promise<void> {
    const started = this.#clock();
    const gradient = await this.#backend.penaltyGradient?.();
    if (gradient !== undefined) {
      try {
        this.#penalty = { gradient, squaredNorm: this.#backend.dot(gradient, gradient) };
      } catch (error) {
        this.#backend.release(gradient);
        throw error;
      }
    }
    this.seconds += this.#clock() - started;
  }

  /** `earlier` is Σ_{j<k} (b_j/B) g_j, absent for the first part. */
  add(earlier: Gradient | undefined, part: Gradient, size: number): void {
    const started = this.#clock();
    this.#sizes.push(size);
    this.#squaredNorms.push(this.#backend.dot(part, part));
    if (earlier !== undefined) this.#withEarlier.push({ product: this.#backend.dot(earlier, part), size });
    if (this.#penalty) this.#penaltyProducts.push(this.#backend.dot(this.#penalty.gradient, part));
    this.seconds += this.#clock() - started;
  }

  /** `total` is B, the examples of all parts. */
  async read(total: number): Promise<GradientMoments> {
    const started = this.#clock();
    const squaredNorms = await Promise.all(this.#squaredNorms.map((norm) => norm.read()));
    let crossProduct = 0;
    for (const { product, size } of this.#withEarlier) crossProduct += (await product.read()) * size * total;
    const moments = { sizes: this.#sizes, squaredNorms, crossProduct };
    const penalty = this.#penalty && {
      squaredNorm: await this.#penalty.squaredNorm.read(),
      products: await Promise.all(this.#penaltyProducts.map((product) => product.read())),
    };
    this.seconds += this.#clock() - started;
    return penalty ? { ...moments, penalty } : moments;
  }

  dispose(): void {
    if (this.#penalty) this.#backend.release(this.#penalty.gradient);
    this.#penalty?.squaredNorm.dispose();
    for (const product of this.#penaltyProducts) product.dispose();
    for (const deferred of [...this.#squaredNorms, ...this.#withEarlier.map(({ product }) => product)])
      deferred.dispose();
  }
}
