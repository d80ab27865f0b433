import type { Backend } from './backend.ts';
import type { GradientMeter } from './gradient-meter.ts';

type Adder<Gradient> = Pick<Backend<unknown, Gradient>, 'accumulate' | 'release'>;

/** The mean gradient of a batch, added up part by part, with what it has on the device meanwhile. */
export class GradientSum<Gradient> {
  readonly #backend: Adder<Gradient>;
  readonly #examples: number;
  readonly #meter: GradientMeter<Gradient> | undefined;
  #total: Gradient | undefined;
  #pending: Gradient | undefined;
  /** The first of two, until they are merged. */
  #first: { readonly gradient: Gradient; readonly examples: number } | undefined;

  /**
   * @param examples of the whole batch
   * @param meter sees each part
   */
  constructor(backend: Adder<Gradient>, examples: number, meter: GradientMeter<Gradient> | undefined) {
    this.#backend = backend;
    this.#examples = examples;
    this.#meter = meter;
  }

  /** Of the parts so far; undefined before the first. */
  get total(): Gradient | undefined {
    return this.#total;
  }

  /** Takes over the mean gradient of a part; `isOfTwo` where the batch has two in all. */
  add(part: Gradient, examples: number, isOfTwo: boolean): void {
    if (isOfTwo && this.#meter?.takesPairs) {
      if (this.#first === undefined) this.#first = { gradient: part, examples };
      else this.#merge(this.#first, part, examples);
      return;
    }
    this.#accumulate(part, examples);
  }

  /** Hands over the sum of the parts so far, each with its share of the whole batch; undefined before the first. */
  take(): Gradient | undefined {
    const first = this.#first;
    this.#first = undefined;
    if (first) this.#accumulate(first.gradient, first.examples);
    const total = this.#total;
    this.#total = undefined;
    return total;
  }

  dispose(): void {
    for (const gradient of [this.#total, this.#pending, this.#first?.gradient])
      if (gradient !== undefined) this.#backend.release(gradient);
  }

  #accumulate(part: Gradient, examples: number): void {
    this.#pending = part;
    this.#meter?.add(this.#total, part, examples);
    this.#total = this.#backend.accumulate(this.#total, part, examples / this.#examples);
    this.#pending = undefined;
  }

  #merge(
    first: { readonly gradient: Gradient; readonly examples: number },
    second: Gradient,
    examples: number,
  ): void {
    this.#pending = second;
    const sizes = [first.examples, examples] as const;
    this.#total = this.#meter?.merge([first.gradient, second], sizes, this.#examples);
    this.#first = undefined;
    this.#pending = undefined;
  }
}
