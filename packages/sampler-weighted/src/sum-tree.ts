import { requireInteger } from '@batchwise/sampler';

/** 4 GB of sums. */
const MAX_LEAVES = 2 ** 28;

/**
 * Weights with their sums: changes a weight and finds an index by mass in O(log n). Each sum is always that of its two
 * parts as they are now, so that nothing drifts and a tree made anew of the same weights has the same sums to the bit.
 */
export class SumTree {
  readonly size: number;
  /** Node k has the nodes 2k and 2k + 1 below it; the leaves come last. */
  readonly #sums: Float64Array;
  readonly #firstLeaf: number;

  /**
   * @param weights finite numbers of 0 or more
   * @throws RangeError when one is something else, or there are none or more than 2²⁸
   */
  constructor(weights: ArrayLike<number>) {
    this.size = weights.length;
    requireInteger('The number of weights', this.size, { from: 1, to: MAX_LEAVES });
    this.#firstLeaf = 2 ** Math.ceil(Math.log2(this.size));
    this.#sums = new Float64Array(2 * this.#firstLeaf);
    for (let k = 0; k < this.size; k++) {
      const weight = weights[k] ?? NaN;
      if (!(weight >= 0 && weight < Infinity)) requireLeaf(`weights[${k}]`, weight);
      this.#sums[this.#firstLeaf + k] = weight;
    }
    for (let node = this.#firstLeaf - 1; node > 0; node--) this.#sums[node] = this.#sumBelow(node);
  }

  /** The sum of all weights. */
  get total(): number {
    return this.#sums[1] ?? 0;
  }

  /** @throws RangeError when there is no such index */
  weightOf(index: number): number {
    requireInteger('index', index, { from: 0, to: this.size - 1 });
    return this.#sums[this.#firstLeaf + index] ?? 0;
  }

  /** @throws RangeError when there is no such index, or the weight is not a finite number of 0 or more */
  set(index: number, weight: number): void {
    requireInteger('index', index, { from: 0, to: this.size - 1 });
    requireLeaf('weight', weight);
    let node = this.#firstLeaf + index;
    this.#sums[node] = weight;
    for (node >>= 1; node > 0; node >>= 1) this.#sums[node] = this.#sumBelow(node);
  }

  /**
   * The index whose stretch holds `mass`, the weights laid end to end: with `mass` drawn from 0 up to `total`, an index
   * with a probability in proportion to its weight, and never one of weight 0.
   * @throws RangeError when all weights are 0
   */
  find(mass: number): number {
    const sums = this.#sums;
    if (!(this.total > 0)) throw new RangeError('All weights are 0; give one of them a weight above 0.');
    let left = mass;
    let node = 1;
    while (node < this.#firstLeaf) {
      node *= 2;
      const first = sums[node] ?? 0;
      // Rounding may leave more than there is on the right: not where there is nothing.
      if (left >= first && (sums[node + 1] ?? 0) > 0) {
        left -= first;
        node += 1;
      }
    }
    return node - this.#firstLeaf;
  }

  #sumBelow(node: number): number {
    return (this.#sums[2 * node] ?? 0) + (this.#sums[2 * node + 1] ?? 0);
  }
}

function requireLeaf(name: string, weight: number): void {
  if (weight >= 0 && weight < Infinity) return;
  throw new RangeError(`${name} is ${weight}; give a finite number of 0 or more.`);
}
