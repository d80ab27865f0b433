import { uniformAt } from '@batchwise/sampler';
import { requireWeights } from './require-weights.ts';

/** Draws by fixed weights in constant time. */
export interface AliasTable {
  /** Draws `indices.length` indices, number k from the random words 2k and 2k + 1. */
  draw(words: Uint32Array, indices: Int32Array): void;
}

/**
 * The alias method: each of n equal columns is shared by an index and its alias, and one number picks column and side.
 * Built in O(n) by M. Vose, "A linear algorithm for generating random numbers with a given distribution", IEEE Trans.
 * Softw. Eng. 17, 1991. Each probability is met to within 2⁻³¹ / n.
 * @throws RangeError when there are no weights, or one is not a finite number above 0
 */
export function aliasTable(weights: ArrayLike<number>): AliasTable {
  const columns = weights.length;
  const table = shared(weights, requireWeights(weights) / columns);
  let heights = new Int32Array();
  return {
    draw(words, indices) {
      if (heights.length < indices.length) heights = new Int32Array(indices.length);
      const drawn = { columns: indices, heights };
      drop(words, columns, drawn);
      settle(table, drawn);
    },
  };
}

/** What was drawn before the table is looked at: a column and, in 2⁻³¹ of its height, a place in it. */
interface Drawn {
  readonly columns: Int32Array;
  readonly heights: Int32Array;
}

function drop(words: Uint32Array, among: number, { columns, heights }: Drawn): void {
  for (let k = 0; k < columns.length; k++) {
    const place = uniformAt(words, k) * among;
    const column = Math.floor(place);
    columns[k] = column;
    heights[k] = (place - column) * 2 ** 31;
  }
}

/**
 * Puts the alias in the place of a column where its height is above the border. A turn of its own, and so short that the
 * processor waits for many places of the table at once.
 */
function settle(table: Int32Array, { columns, heights }: Drawn): void {
  for (let k = 0; k < columns.length; k++) {
    const column = columns[k] ?? 0;
    const alias = table[2 * column + 1] ?? 0;
    // All ones below the border and all zeros above it: a branch would be mispredicted half of the time.
    const below = ((heights[k] ?? 0) - (table[2 * column] ?? 0)) >> 31;
    columns[k] = alias ^ ((alias ^ column) & below);
  }
}

/** Pairs of border and alias, together since both are read at once: below the border, in 2⁻³¹, the column itself. */
function shared(weights: ArrayLike<number>, mean: number): Int32Array {
  const columns = weights.length;
  const table = new Int32Array(2 * columns);
  const heights = new Float64Array(columns);
  // Columns that lack something from the front, those with something to give from the back.
  const open = new Int32Array(columns);
  let lacking = 0;
  let giving = columns;
  for (let k = 0; k < columns; k++) {
    const height = (weights[k] ?? 0) / mean;
    heights[k] = height;
    // Its own alias until it needs one.
    table[2 * k + 1] = k;
    if (height < 1) open[lacking++] = k;
    else open[--giving] = k;
  }
  while (lacking > 0 && giving < columns) {
    const small = open[--lacking] ?? 0;
    const large = open[giving] ?? 0;
    const height = heights[small] ?? 0;
    table[2 * small] = Math.min(2 ** 31 - 1, Math.round(height * 2 ** 31));
    table[2 * small + 1] = large;
    const rest = (heights[large] ?? 0) - (1 - height);
    heights[large] = rest;
    if (rest < 1) {
      giving += 1;
      open[lacking++] = large;
    }
  }
  // What is left is full but for rounding errors, and is its own alias.
  return table;
}
