import { describe, expect, it } from 'vitest';
import { largestBatchSize, type PolicyName, type PolicyOptions } from '../src/policy.ts';

describe('largestBatchSize', () => {
  it.each<[PolicyName, PolicyOptions, number | undefined, number]>([
    ['goodput', { optimizer: 'sgd' }, 60_000, 128],
    ['goodput', { optimizer: 'momentum', batchSize: 8 }, 60_000, 64],
    ['goodput', {}, 60_000, 2048],
    ['goodput', { batchSize: 512 }, undefined, 4096],
    // A 16th of the data, where the rate sets no bound.
    ['goodput', { learningRateRule: 'none' }, 60_000, 3750],
    ['goodput', { learningRateRule: () => 1 }, 60_000, 3750],
    ['goodput', { optimizer: 'sgd', maxBatchSize: 700 }, 60_000, 700],
    ['knee', { optimizer: 'sgd' }, 60_000, 3750],
    ['noiseScale', { optimizer: 'sgd' }, undefined, 4096],
    ['schedule', { maxBatchSize: 700 }, 60_000, 700],
    ['schedule', { growth: { milestones: [{ examples: 5000, batchSize: 5000 }] } }, 7000, 5000],
    ['schedule', { growth: { milestones: [{ examples: 9, batchSize: 500 }] }, maxBatchSize: 64 }, 7000, 64],
    ['fixed', { batchSize: 100 }, 60_000, 100],
    ['fixed', {}, undefined, 32],
    ['fixed', {}, 20, 20],
  ])('%s with %j may take from %s examples batches of %i', (name, options, datasetSize, largest) => {
    expect(largestBatchSize(name, options, { datasetSize, plannedExamples: undefined })).toBe(largest);
  });

  it('bounds a run of known length over a stream by its steps', () => {
    const info = { datasetSize: undefined, plannedExamples: 50_000 };
    expect(largestBatchSize('goodput', {}, info)).toBe(100);
    expect(largestBatchSize('goodput', { maxBatchSize: 400 }, info)).toBe(400);
  });
});
