import type { IndexCursor } from './index-sampler.ts';

/** A batch that is put together from the cursors of several samplers. */
export class Taken {
  readonly indices: Int32Array;
  #weights: Float32Array | undefined;

  constructor(length: number) {
    this.indices = new Int32Array(length);
  }

  /** As `IndexCursor.weights`: 1 for examples of samplers without. */
  get weights(): Float32Array | undefined {
    return this.#weights;
  }

  /**
   * Takes an example for each of `places`, in their order, and moves its index up by `offset`.
   * @throws RangeError when the cursor has fewer left
   */
  take(cursor: IndexCursor, places: ArrayLike<number>, offset: number): void {
    const indices = cursor.take(places.length);
    if (indices.length < places.length) {
      throw new RangeError(
        `A sampler gave ${indices.length} examples where its size promised ${places.length}; correct its size.`,
      );
    }
    const { weights } = cursor;
    if (weights) this.#weights ??= new Float32Array(this.indices.length).fill(1);
    for (let k = 0; k < places.length; k++) {
      const place = places[k] ?? 0;
      this.indices[place] = (indices[k] ?? 0) + offset;
      if (weights && this.#weights) this.#weights[place] = weights[k] ?? 1;
    }
  }
}
