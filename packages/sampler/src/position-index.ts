/** Where each index stands in a list: all of its positions, in falling order. */
export class PositionIndex {
  readonly #latest = new Map<number, number>();
  /** The position before of the same index, −1 where there is none. */
  readonly #before: Int32Array;

  constructor(indices: Int32Array) {
    this.#before = new Int32Array(indices.length);
    indices.forEach((index, position) => {
      this.#before[position] = this.#latest.get(index) ?? -1;
      this.#latest.set(index, position);
    });
  }

  /** @throws RangeError when the index is not in the list */
  *positionsOf(index: number): Generator<number> {
    const latest = this.#latest.get(index);
    if (latest === undefined) {
      throw new RangeError(`Index ${index} is not in the subset; give losses of its own examples only.`);
    }
    for (let position = latest; position !== -1; position = this.#before[position] ?? -1) yield position;
  }
}
