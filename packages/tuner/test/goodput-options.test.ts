import { expect, it } from 'vitest';
import { goodputSettings, lawOf, type GoodputOptions } from '../src/goodput-options.ts';

it('has the documented defaults', () => {
  expect(goodputSettings({})).toEqual({
    sizes: {},
    criticalBatchFactor: 1,
    examplesExponent: 0.5,
    examplesSharpness: 2,
    prior: undefined,
    noise: {
      priorNoiseScale: 600,
      minNoiseScale: 4,
      horizon: 8,
      measuringShare: 0.005,
      bootMeasurements: 6,
      bootEverySteps: 2,
    },
    maxMove: 2,
    leastGain: 0.03,
    settledShare: 0.05,
    exploration: {
      warmUpSteps: 10,
      coldSteps: 1,
      timedSteps: 6,
      growth: 4,
      leastImprovement: 0.1,
      shareOfRun: 0.05,
      driftRatio: 1.4,
      retimeAfterSteps: 50,
      lookEverySteps: 10,
    },
  });
});

it('takes c, p and q from the optimizer, unless they are given', () => {
  expect(goodputSettings({ optimizer: 'sgd' })).toMatchObject({
    criticalBatchFactor: 3,
    examplesExponent: 1,
    examplesSharpness: 1,
  });
  const given = { criticalBatchFactor: 7, examplesExponent: 0.7, examplesSharpness: 1.5 };
  expect(goodputSettings({ optimizer: 'sgd', ...given })).toMatchObject(given);
});

it.each<[string, GoodputOptions]>([
  ['criticalBatchFactor', { criticalBatchFactor: 0 }],
  ['examplesExponent', { examplesExponent: 0 }],
  ['examplesExponent', { examplesExponent: 1.1 }],
  ['examplesSharpness', { examplesSharpness: 0.5 }],
  ['examplesSharpness', { examplesSharpness: 9 }],
  ['examplesSharpness', { examplesSharpness: NaN }],
  ['priorNoiseScale', { priorNoiseScale: -1 }],
  ['minNoiseScale', { minNoiseScale: 0 }],
  ['horizon', { horizon: Infinity }],
  ['measuringShare', { measuringShare: 0 }],
  ['measuringShare', { measuringShare: 1 }],
  ['bootMeasurements', { bootMeasurements: -1 }],
  ['bootEverySteps', { bootEverySteps: 0 }],
  ['exploration.lookEverySteps', { exploration: { lookEverySteps: 2.5 } }],
  ['maxMove', { maxMove: 1 }],
  ['leastGain', { leastGain: 1 }],
  ['settledShare', { settledShare: -0.1 }],
  ['batchSize', { batchSize: 0 }],
  ['exploration.timedSteps', { exploration: { timedSteps: 0 } }],
])('refuses a wrong %s', (name, options) => {
  expect(() => goodputSettings(options)).toThrow(RangeError);
  expect(() => goodputSettings(options)).toThrow(`${name} is `);
});

it('is a law of the noise that is believed', () => {
  const noise = { noiseScale: 200, relativeError: 0.5, measured: true, unresolved: false };
  expect(lawOf(noise, goodputSettings({ optimizer: 'sgd' }))).toEqual({
    criticalBatchSize: 600,
    examplesExponent: 1,
    examplesSharpness: 1,
  });
  expect(lawOf(noise, goodputSettings({}))).toEqual({
    criticalBatchSize: 200,
    examplesExponent: 0.5,
    examplesSharpness: 2,
  });
});
