/** A binary heap of up to `capacity` numbered items, the one with the smallest key first. For samplers of your own. */
export class MinHeap {
  readonly #keys: Float64Array;
  readonly #items: Int32Array;
  #length = 0;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
    this.#items = new Int32Array(capacity);
  }

  /** The smallest key; `Infinity` where there is no item. */
  get firstKey(): number {
    return this.#length === 0 ? Infinity : this.#key(0);
  }

  /** An item more; there must be room for it. */
  add(key: number, item: number): void {
    let at = this.#length++;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#key(above) <= key) break;
      this.#move(above, at);
      at = above;
    }
    this.#keys[at] = key;
    this.#items[at] = item;
  }

  /** Removes the first item; −1 where there is none. */
  take(): number {
    if (this.#length === 0) return -1;
    const first = this.#items[0] ?? -1;
    this.#length -= 1;
    const key = this.#key(this.#length);
    const item = this.#items[this.#length] ?? -1;
    let at = 0;
    for (let below = 1; below < this.#length; below = 2 * at + 1) {
      if (below + 1 < this.#length && this.#key(below + 1) < this.#key(below)) below += 1;
      if (this.#key(below) >= key) break;
      this.#move(below, at);
      at = below;
    }
    this.#keys[at] = key;
    this.#items[at] = item;
    return first;
  }

  #key(at: number): number {
    return this.#keys[at] ?? Infinity;
  }

  #move(from: number, to: number): void {
    this.#keys[to] = this.#key(from);
    this.#items[to] = this.#items[from] ?? -1;
  }
}
