import { describe, expect, it } from 'vitest';
import { clockTime, count, duration, figure, percent, shortened } from '../src/format.ts';

describe('numbers for people', () => {
  it('counts with separators', () => {
    expect([0, 999, 54_000, 1_234_567.8].map(count)).toEqual(['0', '999', '54,000', '1,234,568']);
  });

  it('shows shares, times and figures', () => {
    expect(percent(0.9731)).toBe('97.3 %');
    expect([0, 6.6, 59.7, 750, 3723, NaN].map(clockTime)).toEqual([
      '0:00',
      '0:07',
      '1:00',
      '12:30',
      '1:02:03',
      '–',
    ]);
    expect([0.0004, 0.48, 0.9996, 12.34, 119.6, 425].map(duration)).toEqual([
      '0 ms',
      '480 ms',
      '1.0 s',
      '12.3 s',
      '2 min 0 s',
      '7 min 5 s',
    ]);
    expect([0, 0.1312, 2.302585, 12345.6, 0.00001234, 8.1e9].map(figure)).toEqual([
      '0.000',
      '0.1312',
      '2.303',
      '1.235e+4',
      '1.23e-5',
      '8.10e+9',
    ]);
  });

  it('cuts texts at a word', () => {
    expect(shortened('one two three', 13)).toBe('one two three');
    expect(shortened('one two three', 12)).toBe('one two …');
    expect(shortened('one, (two) three', 8)).toBe('one …');
    expect(shortened('12345678', 5)).toBe('123 …');
  });
});
