import { describe, expect, it } from 'vitest';
import { remember, rememberedBatchSize, rememberedFrom, secondMomentFactor } from '../src/second-moment.ts';

const NO_BATCHES = rememberedFrom(0, 0.9);

describe('remember', () => {
  it('weighs the steps as the average of squared gradients does, with its bias corrected', () => {
    const after32 = remember(NO_BATCHES, { batchSize: 32, decay: 0.9 });
    expect(after32.weight).toBeCloseTo(0.1, 12);
    expect(after32.inverseBatchSize).toBeCloseTo(1 / 32, 12);
    const after64 = remember(after32, { batchSize: 64, decay: 0.9 });
    expect(after64.weight).toBeCloseTo(0.19, 12);
    // (0.9 · 0.1/32 + 0.1/64) / 0.19
    expect(after64.inverseBatchSize).toBeCloseTo(0.0230263158, 9);
  });

  it('takes several steps at once as one after the other', () => {
    const start = remember(NO_BATCHES, { batchSize: 16, decay: 0.99, steps: 7 });
    let one = start;
    for (let step = 0; step < 30; step += 1) one = remember(one, { batchSize: 256, decay: 0.99 });
    const all = remember(start, { batchSize: 256, decay: 0.99, steps: 30 });
    expect(all.weight).toBeCloseTo(one.weight, 12);
    expect(all.inverseBatchSize).toBeCloseTo(one.inverseBatchSize, 12);
  });
});

describe('rememberedBatchSize', () => {
  it('is the harmonic mean, in which updates from before the run count as the coming batch', () => {
    // 0.5² is left of an average that was full, and there are 0.5 · 0.5 and 0.5 of batches of 32 and 64.
    const start = rememberedFrom(50, 0.5);
    expect(start.unknownWeight).toBeCloseTo(1, 12);
    const both = [32, 64].reduce((seen, batchSize) => remember(seen, { batchSize, decay: 0.5 }), start);
    expect(both.unknownWeight).toBeCloseTo(0.25, 12);
    expect(rememberedBatchSize(both, 128)).toBeCloseTo(1 / (0.25 / 32 + 0.5 / 64 + 0.25 / 128), 9);
    const fresh = [32, 64].reduce((seen, batchSize) => remember(seen, { batchSize, decay: 0.5 }), NO_BATCHES);
    expect(rememberedBatchSize(fresh, 128)).toBeCloseTo(0.75 / (0.25 / 32 + 0.5 / 64), 9);
  });

  it('is the coming batch where hardly anything else is known', () => {
    const long = remember(rememberedFrom(100_000, 0.999), { batchSize: 32, decay: 0.999 });
    expect(rememberedBatchSize(long, 1024)).toBeCloseTo(1 / (0.001 / 32 + 0.999 / 1024), 3);
  });
});

describe('secondMomentFactor', () => {
  it('is 1 for what is remembered, and lies between 1 and the root of the growth', () => {
    const factor = (noiseScale: number, rememberedBatchSize = 32) =>
      secondMomentFactor({ batchSize: 512, rememberedBatchSize, noiseScale });
    expect(factor(100, 512)).toBe(1);
    expect(factor(0)).toBe(1);
    expect(factor(1e12)).toBeCloseTo(4, 6);
    expect(factor(100)).toBeCloseTo(Math.sqrt(32.25 / 2.953125), 12);
    expect(factor(1e12, 2048)).toBeCloseTo(0.5, 6);
  });

  it('is by what the root of Adam’s average is too large: its recursion, in the mean of noisy squares', () => {
    // Every coordinate is as noisy as the next here, and the factor takes them to be ten times as noisy as the whole.
    const noise = 300;
    const squared = (batchSize: number) => 0.7 * (1 + noise / batchSize);
    const sizes = [
      ...Array<number>(43).fill(32),
      ...Array<number>(60).fill(512),
      ...Array<number>(9).fill(64),
    ];
    let [mixed, pure, remembered] = [0, 0, NO_BATCHES];
    const [beta2, last] = [0.999, 256];
    for (const batchSize of sizes) {
      mixed = beta2 * mixed + (1 - beta2) * squared(batchSize);
      pure = beta2 * pure + (1 - beta2) * squared(last);
      remembered = remember(remembered, { batchSize, decay: beta2 });
    }
    const factor = secondMomentFactor({
      batchSize: last,
      rememberedBatchSize: 1 / remembered.inverseBatchSize,
      noiseScale: noise / 10,
    });
    expect(factor).toBeCloseTo(Math.sqrt(mixed / pure), 12);
    expect(factor).toBeGreaterThan(1.3);
  });
});
