import { expect, it } from 'vitest';
import { studentQuantile } from '../src/student-quantile.ts';

/** From printed tables of Student's t, two-sided; `within` is the error of the expansion. */
const TABLE = [
  { confidence: 0.95, degrees: 1, t: 12.7062, within: 0.13 },
  { confidence: 0.95, degrees: 2, t: 4.30265, within: 0.008 },
  { confidence: 0.95, degrees: 3, t: 3.18245, within: 0.002 },
  { confidence: 0.95, degrees: 4, t: 2.77645, within: 0.001 },
  { confidence: 0.95, degrees: 9, t: 2.26216, within: 0.0005 },
  { confidence: 0.95, degrees: 30, t: 2.04227, within: 0.0005 },
  { confidence: 0.95, degrees: 1e9, t: 1.95996, within: 0.0005 },
  { confidence: 0.99, degrees: 5, t: 4.03214, within: 0.002 },
  { confidence: 0.9, degrees: 5, t: 2.01505, within: 0.0005 },
  { confidence: 0.5, degrees: 10, t: 0.69981, within: 0.001 },
];

it.each(TABLE)(
  't for $confidence and $degrees degrees of freedom is $t',
  ({ confidence, degrees, t, within }) => {
    expect(Math.abs(studentQuantile(confidence, degrees) / t - 1)).toBeLessThan(within);
  },
);

it('is the expansion with exactly these coefficients', () => {
  // 26.7.5 with x = 1.959964, evaluated in Python: at one degree of freedom each term counts in full.
  expect(Math.abs(studentQuantile(0.95, 1) / 11.300118 - 1)).toBeLessThan(0.002);
});

it('lies between the neighbours for a fraction of a degree', () => {
  const between = studentQuantile(0.95, 4.5);
  expect(between).toBeGreaterThan(2.57058);
  expect(between).toBeLessThan(2.77645);
});
