import type { IndexCursor, IndexSampler } from './index-sampler.ts';

/** A sampler read on and on, epoch after epoch. */
export class EndlessCursor implements IndexCursor {
  readonly #sampler: IndexSampler;
  #epoch: number;
  #position: number;
  #cursor: IndexCursor;
  #weights: Float32Array | undefined;

  /** From the `examples`-th example after the beginning of epoch 0 on. */
  constructor(sampler: IndexSampler, examples: number) {
    this.#sampler = sampler;
    this.#epoch = Math.floor(examples / sampler.size);
    this.#position = examples % sampler.size;
    this.#cursor = sampler.epoch(this.#epoch, this.#position);
  }

  take(count: number): Int32Array {
    const indices = new Int32Array(count);
    this.#weights = undefined;
    for (let taken = 0; taken < count;) {
      if (this.#position === this.#sampler.size) {
        this.#epoch += 1;
        this.#position = 0;
        this.#cursor = this.#sampler.epoch(this.#epoch);
      }
      const part = this.#cursor.take(Math.min(count - taken, this.#sampler.size - this.#position));
      if (part.length === 0) return indices.subarray(0, taken);
      indices.set(part, taken);
      const { weights } = this.#cursor;
      if (weights) (this.#weights ??= new Float32Array(count).fill(1)).set(weights, taken);
      this.#position += part.length;
      taken += part.length;
    }
    return indices;
  }

  get weights(): Float32Array | undefined {
    return this.#weights;
  }
}
