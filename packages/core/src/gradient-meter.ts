import type { Backend } from './backend.ts';
import type { Clock } from './clock.ts';
import type { Deferred, GradientMoments } from './measurements.ts';

type Measurer<Gradient> = Pick<Backend<unknown, Gradient>, 'dot' | 'merge' | 'release' | 'penaltyGradient'>;

/**
 * Collects the inner products of one step's micro-batch gradients as they come. The dot product with the running
 * mean gives all cross products at once: with s = Σ_{j<k} (b_j/B) g_j, it is b_k (s · g_k) B = Σ_{j<k} b_j b_k (g_j · g_k).
 */
export class GradientMeter<Gradient> {
  readonly #backend: Measurer<Gradient>;
  readonly #clock: Clock;
  readonly #penaltyProducts: Deferred[] = [];
  #penalty: { readonly gradient: Gradient; readonly squaredNorm: Deferred } | undefined;
  readonly #sizes: number[] = [];
  readonly #squaredNorms: Deferred[] = [];
  readonly #withEarlier: { product: Deferred; size: number }[] = [];
  #pair: Deferred<ArrayLike<number>> | undefined;
  /** Time spent here, and on gradients that are for measuring only. */
  seconds = 0;

  constructor(backend: Measurer<Gradient>, clock: Clock) {
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

  /** Whether it sees the two parts of a batch at once. */
  get takesPairs(): boolean {
    return this.#backend.merge !== undefined && this.#penalty === undefined;
  }

  /** Takes over the only two parts of a batch of `total` examples; answers their mean. */
  merge(
    parts: readonly [Gradient, Gradient],
    sizes: readonly [number, number],
    total: number,
  ): Gradient | undefined {
    const started = this.#clock();
    const merged = this.#backend.merge?.(parts, [sizes[0] / total, sizes[1] / total]);
    this.#sizes.push(...sizes);
    this.#pair = merged?.products;
    this.seconds += this.#clock() - started;
    return merged?.total;
  }

  /** `total` is B, the examples of all parts. */
  async read(total: number): Promise<GradientMoments> {
    const started = this.#clock();
    if (this.#pair) {
      const [ofFirst = NaN, ofSecond = NaN, ofBoth = NaN] = Array.from(await this.#pair.read());
      const crossProduct = ofBoth * this.#sizes.reduce((product, size) => product * size, 1);
      this.seconds += this.#clock() - started;
      return { sizes: this.#sizes, squaredNorms: [ofFirst, ofSecond], crossProduct };
    }
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
    this.#pair?.dispose();
    for (const product of this.#penaltyProducts) product.dispose();
    for (const deferred of [...this.#squaredNorms, ...this.#withEarlier.map(({ product }) => product)])
      deferred.dispose();
  }
}
