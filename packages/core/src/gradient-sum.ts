import type { Backend } from './backend.ts';
import type { GradientMeter } from './gradient-meter.ts';

/** The mean gradient of a batch, added up part by part, with what it has on the device meanwhile. */
export class GradientSum<Gradient> {
  readonly #backend: Pick<Backend<unknown, Gradient>, 'accumulate' | 'release'>;
  readonly #examples: number;
  #total: Gradient | undefined;
  #pending: Gradient | undefined;

  /** @param examples of the whole batch */
  constructor(backend: Pick<Backend<unknown, Gradient>, 'accumulate' | 'release'>, examples: number) {
    this.#backend = backend;
    this.#examples = examples;
  }

  /** Of the parts so far; undefined before the first. */
  get total(): Gradient | undefined {
    return this.#total;
  }

  /** Takes over the mean gradient of a part; the meter sees it first. */
  add(part: Gradient, examples: number, meter: GradientMeter<Gradient> | undefined): void {
    this.#pending = part;
    meter?.add(this.#total, part, examples);
    this.#total = this.#backend.accumulate(this.#total, part, examples / this.#examples);
    this.#pending = undefined;
  }

  dispose(): void {
    for (const gradient of [this.#total, this.#pending])
      if (gradient !== undefined) this.#backend.release(gradient);
  }
}
