import type { IndependentDraws } from '@batchwise/sampler';

/**
 * Draws by fixed weights in constant time, by the alias method: each of n equal columns is shared by an index and its
 * alias, and one uniform number picks column and side. Built in O(n) by M. Vose, "A linear algorithm for generating random
 * numbers with a given distribution", IEEE Trans. Softw. Eng. 17, 1991. Each probability is met to within 2⁻³¹ / n.
 *
 * @param heights the weights relative to their mean, each above 0; used up
 */
export function aliasDraws(heights: Float64Array): IndependentDraws['draw'] {
  const { packed, bits, borders } = tableOf(heights);
  const columns = heights.length;
  const mask = 2 ** bits - 1;
  const shift = 31 - bits;
  let room = new Int32Array();

  return (uniforms, indices) => {
    const count = indices.length;
    if (room.length < count) room = new Int32Array(count);
    // In 2⁻³¹ of the height of a column.
    const places = room;
    for (let k = 0; k < count; k++) {
      const place = (uniforms[k] ?? 0) * columns;
      const column = Math.floor(place);
      indices[k] = column;
      places[k] = (place - column) * 2 ** 31;
    }
    // A turn of its own, and so short that the processor waits for many places of the table at once.
    for (let k = 0; k < count; k++) {
      const column = indices[k] ?? 0;
      const place = places[k] ?? 0;
      const both = packed[column] ?? 0;
      let above = (place >>> shift) - (both & mask);
      if (above === 0) above = place - (borders[column] ?? 0);
      const alias = both >>> bits;
      // All ones below the border and all zeros above it: a branch would be mispredicted half of the time.
      indices[k] = alias ^ ((alias ^ column) & (above >> 31));
    }
  };
}

/** A table of which each draw reads one place, and seldom a second one. */
interface Table {
  /** Of each column the alias, in the upper bits, and of its border as many of the first bits as have room. */
  readonly packed: Int32Array;
  /** Bits of the border in `packed`. */
  readonly bits: number;
  /** Below it, in 2⁻³¹ of the height, is the column itself, above it the alias. */
  readonly borders: Int32Array;
}

function tableOf(heights: Float64Array): Table {
  const columns = heights.length;
  const bits = Math.min(31, Math.clz32(columns - 1));
  const borders = new Int32Array(columns);
  // Each its own alias until it needs one.
  const packed = borders.map((_, k) => k << bits);
  // Columns that lack something from the front, those with something to give from the back.
  const open = new Int32Array(columns);
  let lacking = 0;
  let giving = columns;
  heights.forEach((height, k) => {
    if (height < 1) open[lacking++] = k;
    else open[--giving] = k;
  });
  while (lacking > 0 && giving < columns) {
    const small = open[--lacking] ?? 0;
    const large = open[giving] ?? 0;
    const height = heights[small] ?? 0;
    const border = Math.min(2 ** 31 - 1, Math.round(height * 2 ** 31));
    borders[small] = border;
    packed[small] = (large << bits) | (border >>> (31 - bits));
    const rest = (heights[large] ?? 0) - (1 - height);
    heights[large] = rest;
    if (rest < 1) {
      giving += 1;
      open[lacking++] = large;
    }
  }
  // What is left is full but for rounding errors, and is its own alias.
  return { packed, bits, borders };
}
