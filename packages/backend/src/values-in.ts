/** How many values a tensor of this shape has. */
export const valuesIn = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);
