import { expect, it } from 'vitest';
import { about, duration, goodputReason } from '../src/explain.ts';

it('says numbers with two digits', () => {
  expect([0.7612, 3.14, 31.4, 314, 8999, 12345].map(about)).toEqual([
    '0.76',
    '3.1',
    '31',
    '310',
    '9000',
    '12000',
  ]);
});

it('says seconds and milliseconds', () => {
  expect([0.00076, 0.0031, 0.999, 1, 1.24, 250].map(duration)).toEqual([
    '0.76 ms',
    '3.1 ms',
    '1000 ms',
    '1 s',
    '1.2 s',
    '250 s',
  ]);
});

const sizes = {
  small: { batchSize: 32, stepSeconds: 0.0024 },
  large: { batchSize: 128, stepSeconds: 0.0031 },
};
const noise = { noiseScale: 904, relativeError: 0.5, measured: true, unresolved: false };

it('tells a person why the batch grows', () => {
  const answer = {
    held: sizes.small,
    chosen: sizes.large,
    progressRatio: 1.94,
    pricedRatio: 1.9,
    ratioError: 0,
  };
  expect(goodputReason(answer, noise, 2712)).toEqual({
    code: 'goodput',
    text:
      'A step of 128 takes 3.1 ms where one of 32 takes 2.4 ms, and the gradients are noisy enough for the larger ' +
      'batch to pay (noise scale about 900 examples): 128 makes 1.94 times the progress per second.',
    numbers: {
      batchSize: 128,
      heldBatchSize: 32,
      stepSeconds: 0.0031,
      heldStepSeconds: 0.0024,
      noiseScale: 904,
      criticalBatchSize: 2712,
      progressRatio: 1.94,
      logBatchSizeError: 0.25,
    },
  });
});

it('tells a person why the batch shrinks, and what is only assumed', () => {
  const answer = {
    held: sizes.large,
    chosen: sizes.small,
    progressRatio: 1.1,
    pricedRatio: 1.1,
    ratioError: 0,
  };
  expect(goodputReason(answer, { ...noise, measured: false, noiseScale: 600 }, 300).text).toBe(
    'A step of 32 takes 2.4 ms where one of 128 takes 3.1 ms, and the gradients are not noisy enough for the larger ' +
      'batch to make up for that (a noise scale of 600 examples is assumed until it is measured): ' +
      '32 makes 1.10 times the progress per second.',
  );
});
