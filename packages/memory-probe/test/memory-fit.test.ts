import { describe, expect, it } from 'vitest';
import {
  fitMemory,
  largestWithin,
  predictPeakBytes,
  upperBytesPerExample,
  upperPeakBytes,
  type MemoryFit,
} from '../src/memory-fit.ts';
import { MB } from './simulated-device.ts';

const EXACT = { relativeNoise: 0.002 };
const at = (law: (batchSize: number) => number, ...sizes: number[]) =>
  sizes.map((batchSize) => ({ batchSize, peakBytes: law(batchSize) }));
const line = (batchSize: number) => 5 * MB + 0.25 * MB * batchSize;
const floored = (batchSize: number) => Math.max(29 * MB, 4 * MB + 0.01 * MB * batchSize);

function fitted(...args: Parameters<typeof fitMemory>): MemoryFit {
  const fit = fitMemory(...args);
  if (!fit) throw new Error('no fit');
  return fit;
}

describe('fitMemory', () => {
  it('finds a line through readings that rise', () => {
    const fit = fitted(at(line, 16, 64, 256), EXACT);
    expect(fit.floorBytes).toBe(0);
    expect(fit.interceptBytes).toBeCloseTo(5 * MB, -1);
    expect(fit.bytesPerExample).toBeCloseTo(0.25 * MB, 0);
    expect(fit.linePoints).toBe(3);
    expect(predictPeakBytes(fit, 1000)).toBeCloseTo(255 * MB, -1);
  });

  it('finds the floor below which small batches do not go, in readings of any order', () => {
    const fit = fitted(at(floored, 5000, 16, 10_000, 500), EXACT);
    expect(fit.floorBytes).toBe(29 * MB);
    expect(fit.interceptBytes).toBeCloseTo(4 * MB, -1);
    expect(fit.bytesPerExample).toBeCloseTo(0.01 * MB, 0);
    expect(fit.linePoints).toBe(2);
    expect([16, 2500, 2600].map((size) => Math.round(predictPeakBytes(fit, size)))).toEqual([
      29 * MB,
      29 * MB,
      30 * MB,
    ]);
  });

  it.each([
    ['nothing', []],
    ['one reading', at(line, 16)],
    ['two readings: the first may be on the floor', at(line, 16, 64)],
    ['flat readings', at(floored, 16, 500, 1000)],
    ['one reading above the floor', at(floored, 16, 500, 5000)],
    ['one size again and again', at(line, 16, 16, 16)],
    ['readings that fall', at((size) => 9 * MB - size, 16, 64, 256)],
    ['a law that flattens', at((size) => MB * Math.sqrt(size), 16, 64, 256, 1024)],
  ])('has no fit for %s', (_what, readings) => expect(fitMemory(readings, EXACT)).toBeUndefined());

  it('takes the last two readings of a law that steepens', () => {
    const fit = fitted(
      at((size) => size ** 2, 10, 100, 1000, 2000),
      EXACT,
    );
    expect(fit.bytesPerExample).toBeCloseTo(3000, 6);
    expect(fit.floorBytes).toBe(100 ** 2);
  });

  it('takes two readings for a line where they have no floor', () => {
    // Weights 1/100 and 1/400: mean size (1/100 + 3/400) / (1/80) = 1.4, spread 0.16/100 + 2.56/400 = 0.008.
    const fit = fitted(
      [
        { batchSize: 1, peakBytes: 10 },
        { batchSize: 3, peakBytes: 20 },
      ],
      { relativeNoise: 0.01, hasFloor: false },
    );
    expect(fit).toEqual({
      floorBytes: 0,
      interceptBytes: expect.closeTo(5, 10),
      bytesPerExample: expect.closeTo(5, 10),
      relativeError: expect.closeTo(0.01, 10),
      linePoints: 2,
      band: {
        meanBatchSize: expect.closeTo(1.4, 10),
        weight: expect.closeTo(0.0125, 10),
        spread: expect.closeTo(0.008, 10),
      },
    });
    // Student's t of 0.95 at 4 degrees of freedom is 2.132; the expansion gives 2.1146.
    // 55 + 2.1146 · 0.01 · √(55² + 1/0.0125 + 8.6²/0.008)
    expect(upperPeakBytes(fit, 10)).toBeCloseTo(57.35, 2);
    // 5 + 2.1146 · 0.01 / √0.008
    expect(upperBytesPerExample(fit)).toBeCloseTo(5.2364, 3);
  });

  it('adds the scatter of the readings to what it expects of them', () => {
    // Errors of the line through 1, 2.2, 3 with weights 1/y² are not 0, so the error is above the prior's.
    const readings = [1.01, 1.98, 3.03].map((peakBytes, k) => ({ batchSize: k + 1, peakBytes }));
    const fit = fitted(readings, { relativeNoise: 0.01 });
    const errors = readings.map(
      ({ batchSize, peakBytes }) => predictPeakBytes(fit, batchSize) / peakBytes - 1,
    );
    const squares = errors.reduce((sum, error) => sum + error ** 2, 0);
    expect(squares).toBeGreaterThan(1e-4);
    expect(fit.relativeError).toBeCloseTo(Math.sqrt((4e-4 + squares) / 5), 10);
  });

  it('gives no line to readings that scatter by more than three times their noise', () => {
    const readings = [1.04, 1.92, 3.04].map((peakBytes, k) => ({ batchSize: k + 1, peakBytes }));
    expect(fitMemory(readings, { relativeNoise: 0.004 })?.linePoints).toBe(2);
    expect(fitMemory(readings, { relativeNoise: 0.04 })?.linePoints).toBe(3);
  });
});

describe('the upper band', () => {
  it('is the prediction interval of weighted regression, by its textbook form', () => {
    const readings = [
      { batchSize: 16, peakBytes: 9.01e6 },
      { batchSize: 64, peakBytes: 20.98e6 },
      { batchSize: 256, peakBytes: 69.1e6 },
    ];
    const fit = fitted(readings, { relativeNoise: 0.01 });
    // xᵀ (Xᵀ W X)⁻¹ x with x = (1, B), by the inverse of the 2 × 2 matrix.
    const sum = (power: number) =>
      readings.reduce((total, { batchSize, peakBytes }) => total + batchSize ** power / peakBytes ** 2, 0);
    const determinant = sum(0) * sum(2) - sum(1) ** 2;
    const size = 1000;
    const lineVariance = (sum(2) - 2 * size * sum(1) + size ** 2 * sum(0)) / determinant;
    const expected = predictPeakBytes(fit, size);
    const half = upperPeakBytes(fit, size) - expected;
    // 2.015: Student's t of 0.95 at 5 degrees of freedom, four of the prior and one of three readings.
    expect(half / (fit.relativeError * Math.sqrt(expected ** 2 + lineVariance))).toBeCloseTo(2.015, 1);
  });

  it('holds 95 % of new readings, nearly', () => {
    let seed = 1;
    const uniform = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const noise = () => 0.01 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    let [held, drawn] = [0, 0];
    for (let k = 0; k < 2000; k += 1) {
      const fit = fitMemory(
        at((size) => line(size) * (1 + noise()), 16, 64, 256),
        { relativeNoise: 0.01 },
      );
      if (fit?.linePoints !== 3) continue;
      drawn += 1;
      if (line(900) * (1 + noise()) <= upperPeakBytes(fit, 900)) held += 1;
    }
    expect(drawn).toBeGreaterThan(1900);
    expect(held / drawn).toBeGreaterThan(0.94);
    expect(held / drawn).toBeLessThan(0.99);
  });
});

describe('fitMemory is not sure of a line', () => {
  const NOISE = { relativeNoise: 0.01 };
  const read = (...peaks: number[]) => peaks.map((peakBytes, i) => ({ batchSize: 10 * (i + 1), peakBytes }));

  it('where three readings rise by less than a tenth', () => {
    expect(fitMemory(read(100, 102.5, 105), NOISE)).toBeUndefined();
    expect(fitMemory(read(100, 106, 112), NOISE)).toMatchObject({ linePoints: 3 });
  });

  it('where the lower of two is less than a twentieth above the floor', () => {
    expect(fitMemory(read(100, 104, 180), NOISE)).toBeUndefined();
    expect(fitMemory(read(100, 110, 180), NOISE)).toMatchObject({ linePoints: 2, floorBytes: 100 });
  });
});

describe('largestWithin', () => {
  const fit = fitted(at(line, 16, 64, 256), EXACT);

  it('is the last size whose band stays within', () => {
    const size = largestWithin(fit, 400 * MB, { from: 16, to: 1e6 });
    expect(upperPeakBytes(fit, size)).toBeLessThanOrEqual(400 * MB);
    expect(upperPeakBytes(fit, size + 1)).toBeGreaterThan(400 * MB);
  });

  it('stays between its ends', () => {
    expect(largestWithin(fit, 1, { from: 16, to: 1e6 })).toBe(16);
    expect(largestWithin(fit, 400 * MB, { from: 16, to: 100 })).toBe(100);
  });
});
