import { describe, expect, it } from 'vitest';
import { bestBatchSize, goodputOf, type ExamplesLaw } from '../src/goodput-maths.ts';

const [fixedSeconds, secondsPerExample, criticalBatchSize] = [3e-3, 2e-5, 700];
const stepSeconds = (batchSize: number) => fixedSeconds + secondsPerExample * batchSize;
const SGD = { examplesExponent: 1, examplesSharpness: 1 };
const ADAM = { examplesExponent: 0.5, examplesSharpness: 2 };

describe('goodputOf', () => {
  it('is B / (T (B + φc)) where the examples go as 1 + B/φc', () => {
    const law = { criticalBatchSize: 300, ...SGD };
    expect(goodputOf({ batchSize: 100, stepSeconds: 0.5, ...law })).toBe(0.5);
    expect(goodputOf({ ...law, batchSize: 300, stepSeconds: 2, criticalBatchSize: 100 })).toBe(0.375);
  });

  it('is B / (T (B² + φc²)^¼) where they go as (1 + (B/φc)²)^¼', () => {
    const law = { criticalBatchSize: 400, ...ADAM };
    // (300² + 400²)^¼ = √500.
    expect(goodputOf({ batchSize: 300, stepSeconds: 0.5, ...law })).toBeCloseTo(600 / Math.sqrt(500), 12);
    expect(goodputOf({ batchSize: 300, stepSeconds: 2, ...law })).toBeCloseTo(150 / Math.sqrt(500), 12);
  });

  it('says how long a run takes: its ratio is that of α + βφc + βB + αφc/B', () => {
    const runSeconds = (B: number) =>
      fixedSeconds +
      secondsPerExample * criticalBatchSize +
      secondsPerExample * B +
      (fixedSeconds * criticalBatchSize) / B;
    const at = (batchSize: number) =>
      goodputOf({ batchSize, stepSeconds: stepSeconds(batchSize), criticalBatchSize, ...SGD });
    expect(at(64) / at(512)).toBeCloseTo(runSeconds(512) / runSeconds(64), 12);
  });

  describe('for Adam', () => {
    const noise = 700;
    /** Examples for the same progress, over those of a very small batch: goodput where each example takes a second. */
    const examples = (batchSize: number) => {
      const progress = (B: number) =>
        goodputOf({ batchSize: B, stepSeconds: B, criticalBatchSize: noise, ...ADAM });
      return progress(1e-9) / progress(batchSize);
    };
    /** By what one coordinate gains and loses with a step on noisy gradients, G = 1, at the best rate for small batches. */
    const byOneStep = (B: number) => {
      const [meanSquare, noiseSquare] = [1 + noise / B, noise / B];
      const gain = (rate: number) => (rate * Math.sqrt(B)) / Math.sqrt(meanSquare);
      const loss = (rate: number) => (rate ** 2 * B * noiseSquare) / meanSquare;
      // B → 0: gain = rate B/√φ and loss = rate² B, of which the difference is largest at this rate.
      const rate = 1 / (2 * Math.sqrt(noise));
      return B / (4 * noise) / (gain(rate) - loss(rate));
    };

    it('is flat where batches are small, and bends as the noise that a step adds says', () => {
      expect(examples(14) - 1).toBeCloseTo((14 / 1400) ** 2, 7);
      expect(byOneStep(14) - 1).toBeCloseTo((14 / 1400) ** 2, 5);
      expect(examples(140) / byOneStep(140)).toBeCloseTo(1, 2);
    });

    it('goes as √B at last, as far as a step goes with a rate of √B and next to no noise', () => {
      expect(examples(4e6) / examples(1e6)).toBeCloseTo(2, 5);
      expect(byOneStep(4e9) / byOneStep(1e9)).toBeCloseTo(2, 2);
    });
  });
});

describe('bestBatchSize', () => {
  const bestFor =
    (law: Omit<ExamplesLaw, 'criticalBatchSize'>) => (fixed: number, perExample: number, critical: number) =>
      bestBatchSize({
        fixedSeconds: fixed,
        secondsPerExample: perExample,
        criticalBatchSize: critical,
        ...law,
      });

  it('is √((α/β) φc) where the examples go as 1 + B/φc', () => {
    expect(bestFor(SGD)(4e-3, 1e-5, 900)).toBeCloseTo(600, 9);
  });

  it('is (r + √(r² + 8 r φc))/2 where they go as the root of that, with r = α/β: r itself without noise', () => {
    const root = bestFor({ examplesExponent: 0.5, examplesSharpness: 1 });
    // r = 400, φc = 150: (400 + √(160,000 + 480,000))/2.
    expect(root(4e-3, 1e-5, 150)).toBeCloseTo(600, 9);
    expect(root(4e-3, 1e-5, 1e-9)).toBeCloseTo(400, 6);
  });

  it('solves B²(B − r) = 2 r φc² where they go as (1 + (B/φc)²)^¼: r itself without noise', () => {
    // r = 400, φc = 300: 600² · 200 = 2 · 400 · 300².
    expect(bestFor(ADAM)(4e-3, 1e-5, 300)).toBeCloseTo(600, 9);
    expect(bestFor(ADAM)(4e-3, 1e-5, 1e-9)).toBeCloseTo(400, 6);
  });

  it('grows with the noise by the power q/(q + 1) at the most', () => {
    const power = (law: Omit<ExamplesLaw, 'criticalBatchSize'>) => {
      const at = (critical: number) => bestFor(law)(1e-5, 1e-5, critical);
      return Math.log(at(2e12) / at(1e12)) / Math.LN2;
    };
    expect(power(SGD)).toBeCloseTo(1 / 2, 6);
    expect(power(ADAM)).toBeCloseTo(2 / 3, 6);
  });

  it.each([SGD, ADAM])('has no bound where examples cost nothing, and is 0 where steps do, for %o', (law) => {
    expect(bestFor(law)(1, 0, 9)).toBe(Infinity);
    expect(bestFor(law)(0, 1, 9)).toBe(0);
  });

  it.each([
    SGD,
    ADAM,
    { examplesExponent: 0.5, examplesSharpness: 1 },
    { examplesExponent: 0.7, examplesSharpness: 1.5 },
    { examplesExponent: 1, examplesSharpness: 4 },
  ])('is where the goodput is highest, to a tenth of a percent, for %o', (shape) => {
    const law = { criticalBatchSize, ...shape };
    const best = bestBatchSize({ fixedSeconds, secondsPerExample, ...law });
    const at = (batchSize: number) => goodputOf({ batchSize, stepSeconds: stepSeconds(batchSize), ...law });
    expect(at(best)).toBeGreaterThan(at(best * 1.001));
    expect(at(best)).toBeGreaterThan(at(best / 1.001));
  });
});
