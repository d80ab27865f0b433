import { describe, expect, it } from 'vitest';
import { checkSizes, sizeRange, whyNoLarger, type SizeOptions } from '../src/size-range.ts';
import { run } from './step.ts';

const of = (datasetSize: number | undefined, options: SizeOptions = {}) =>
  sizeRange(options, run({ datasetSize }), 8);

describe('sizeRange', () => {
  it('goes from 8 to a 16th of the dataset, starting at 32', () => {
    expect(of(60_000)).toEqual({ start: 32, min: 8, max: 3750 });
  });

  it('keeps within the bounds given', () => {
    expect(of(60_000, { batchSize: 64, minBatchSize: 16, maxBatchSize: 256 })).toEqual({
      start: 64,
      min: 16,
      max: 256,
    });
    expect(of(60_000, { maxBatchSize: 10_000 }).max).toBe(3750);
  });

  it('always allows the size that was asked for, unless the dataset is smaller', () => {
    expect(of(400)).toEqual({ start: 32, min: 8, max: 32 });
    expect(of(1000, { batchSize: 128 })).toEqual({ start: 128, min: 8, max: 128 });
    expect(of(20)).toEqual({ start: 20, min: 8, max: 20 });
    expect(of(5)).toEqual({ start: 5, min: 5, max: 5 });
    expect(of(60_000, { batchSize: 4 })).toEqual({ start: 4, min: 4, max: 3750 });
  });

  it('leaves a run of known length 500 steps, or the size that was asked for', () => {
    const within = (plannedExamples: number | undefined, options: SizeOptions = {}) =>
      sizeRange(options, run({ datasetSize: 54_000, plannedExamples }), 8).max;
    expect(within(162_000)).toBe(324);
    expect(within(162_000, { batchSize: 512 })).toBe(512);
    expect(within(162_000, { maxBatchSize: 1024 })).toBe(324);
    expect([within(54_000 * 31), within(54_000 * 32), within(undefined)]).toEqual([3348, 3375, 3375]);
  });

  it('bounds a stream by 4096 or by what is given', () => {
    expect(of(undefined).max).toBe(4096);
    expect(of(undefined, { batchSize: 8192 }).max).toBe(8192);
    expect(of(undefined, { maxBatchSize: 20_000 }).max).toBe(20_000);
  });

  it('goes no further than the rate does, unless told to, which opens no stream', () => {
    expect(of(60_000, { rateEndsAt: 128 }).max).toBe(128);
    expect(of(60_000, { rateEndsAt: 100.5, batchSize: 8 }).max).toBe(100);
    expect(of(60_000, { rateEndsAt: 128, maxBatchSize: 256 }).max).toBe(256);
    expect(of(undefined, { rateEndsAt: 20_000 }).max).toBe(4096);
    const ofRun = sizeRange(
      { rateEndsAt: 2048 },
      run({ datasetSize: undefined, plannedExamples: 50_000 }),
      8,
    );
    expect(ofRun.max).toBe(100);
  });
});

it.each<[string | undefined, SizeOptions, number | undefined, number | undefined]>([
  ['in a run of 24000 examples it would leave fewer than 500 steps', {}, 8000, 24_000],
  [undefined, {}, 8000, 32_000],
  ['it would be more than a 16th of the 1000 examples', {}, 1000, undefined],
  ['it would be more than a 16th of the 1000 examples', { maxBatchSize: 512 }, 1000, 31_500],
  [undefined, { batchSize: 31 }, 1000, 31_000],
  ['the largest allowed is 48', { maxBatchSize: 48 }, 60_000, 60_000],
  ['the largest allowed is 48', { maxBatchSize: 48 }, 60_000, 24_000],
  [undefined, { maxBatchSize: 64 }, 60_000, undefined],
  [
    'of a stream it would be more than 4096, which needs maxBatchSize',
    { batchSize: 4000 },
    undefined,
    undefined,
  ],
  [undefined, { batchSize: 4000, maxBatchSize: 8000 }, undefined, undefined],
  ['the largest allowed is 5000', { batchSize: 4000, maxBatchSize: 5000 }, undefined, undefined],
  ['the learning rate follows it up to 40', { rateEndsAt: 40 }, 60_000, undefined],
  ['the learning rate follows it up to 40', { rateEndsAt: 40 }, undefined, undefined],
  ['the largest allowed is 48', { rateEndsAt: 40, maxBatchSize: 48 }, 60_000, undefined],
  ['it would be more than a 16th of the 1000 examples', { rateEndsAt: 80 }, 1000, undefined],
  ['the largest allowed is 60', { maxBatchSize: 60 }, undefined, 20_000],
])('says that no larger batch is allowed since %s', (why, options, datasetSize, plannedExamples) => {
  expect(whyNoLarger(options, run({ datasetSize, plannedExamples }))).toBe(why);
});

describe('checkSizes', () => {
  it('takes sizes in order', () => {
    expect(() => checkSizes({ batchSize: 32, minBatchSize: 32, maxBatchSize: 32 })).not.toThrow();
  });

  it.each<[string, SizeOptions]>([
    ['batchSize is 32, outside of 64', { minBatchSize: 64 }],
    ['batchSize is 32, outside of 1 to 16', { maxBatchSize: 16 }],
    ['batchSize is 0.5', { batchSize: 0.5 }],
    ['minBatchSize is 0', { minBatchSize: 0 }],
    ['maxBatchSize is NaN', { maxBatchSize: NaN }],
  ])('refuses: %s', (message, options) => {
    expect(() => checkSizes(options)).toThrow(message);
  });
});
