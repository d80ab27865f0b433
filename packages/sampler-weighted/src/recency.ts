/** Which of some indices was last touched longest ago: a doubly linked list in two arrays. */
export class Recency {
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  /** Stands before the oldest and after the newest index. */
  readonly #end: number;

  constructor(size: number) {
    this.#end = size;
    this.#newer = new Int32Array(size + 1).fill(-1);
    this.#older = new Int32Array(size + 1).fill(-1);
    this.#link(size, size);
  }

  /** −1 where none is in the list. */
  get oldest(): number {
    const oldest = this.#newer[this.#end] ?? this.#end;
    return oldest === this.#end ? -1 : oldest;
  }

  /** Makes an index the newest. */
  touch(index: number): void {
    this.remove(index);
    this.#link(this.#older[this.#end] ?? this.#end, index);
    this.#link(index, this.#end);
  }

  /** Takes an index out, if it is in. */
  remove(index: number): void {
    const [older, newer] = [this.#older[index] ?? -1, this.#newer[index] ?? -1];
    if (older === -1) return;
    this.#link(older, newer);
    this.#older[index] = -1;
    this.#newer[index] = -1;
  }

  #link(older: number, newer: number): void {
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }
}
