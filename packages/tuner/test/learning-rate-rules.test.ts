import { describe, expect, it } from 'vitest';
import { learningRateScale } from '../src/learning-rate-rules.ts';

describe('learningRateScale', () => {
  it.each([
    ['linear', 64, 2],
    ['linear', 128, 4],
    ['linear', 512, 4],
    ['linear', 8, 0.25],
    ['sqrt', 64, Math.SQRT2],
    ['sqrt', 128, 2],
    ['sqrt', 2048, 8],
    ['sqrt', 8192, 8],
    ['sqrt', 8, 0.5],
    ['none', 2048, 1],
    ['none', 8, 1],
  ] as const)('%s: a batch of %s where 32 is the reference gives %s', (rule, batchSize, scale) => {
    expect(learningRateScale(batchSize, { rule, referenceBatchSize: 32 })).toBeCloseTo(scale, 12);
  });

  it('has a cap of your choice, and none for a rule of your own', () => {
    expect(learningRateScale(512, { rule: 'linear', referenceBatchSize: 32, maxScale: 8 })).toBe(8);
    const cubeRoot = (growth: number) => Math.cbrt(growth);
    expect(learningRateScale(32 * 4096, { rule: cubeRoot, referenceBatchSize: 32 })).toBeCloseTo(16, 12);
    expect(learningRateScale(32 * 4096, { rule: cubeRoot, referenceBatchSize: 32, maxScale: 10 })).toBe(10);
  });

  it.each([
    // (1 + φ/B0) / (1 + φ/B): linear for a large φ, 1 for none.
    ['adascale', 128, 96, 4 / 1.75],
    ['adascale', 128, 1e9, 4],
    ['adascale', 128, 0, 1],
    ['adascale', 16, 96, 4 / 7],
    ['adascale', 4096, 1e9, 4],
    ['adamscale', 128, 96, Math.sqrt(4 / 1.75)],
    ['adamscale', 16, 1e9, Math.SQRT1_2],
  ] as const)('%s: a batch of %s at a noise scale of %s gives %s', (rule, batchSize, noiseScale, scale) => {
    const evidence = { noiseScale };
    expect(learningRateScale(batchSize, { rule, referenceBatchSize: 32, evidence })).toBeCloseTo(scale, 6);
  });

  it('does not rise with a noise scale that nobody knows, and hands evidence to a rule of your own', () => {
    expect(learningRateScale(128, { rule: 'adascale', referenceBatchSize: 32 })).toBe(1);
    expect(learningRateScale(16, { rule: 'adascale', referenceBatchSize: 32 })).toBe(0.5);
    const rule = (growth: number, { noiseScale = 0 }) => growth + noiseScale;
    expect(learningRateScale(64, { rule, referenceBatchSize: 32, evidence: { noiseScale: 5 } })).toBe(7);
  });

  it('refuses what a rule of your own may not answer', () => {
    const options = { rule: () => 0, referenceBatchSize: 32 };
    expect(() => learningRateScale(64, options)).toThrow(/answer for 2 times the batch is 0/);
  });
});
