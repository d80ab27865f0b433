import { policyNames, type TuningRecord } from '@batchwise/tuner';
import { expect, it } from 'vitest';
import { isUsedBy } from '../src/learned.ts';

const time = (batchSize: number) => ({ batchSize, parts: 1, seconds: 0.01, firstSeconds: null });
const record: TuningRecord = {
  schema: 'batchwise.tuning/1',
  runs: 1,
  stepTimes: [time(32), time(128)],
  noiseScale: 400,
  batchSize: 32,
  largestMicroBatchSize: 128,
  failedMicroBatchSize: null,
};

it.each([
  [record, ['goodput', 'knee', 'noiseScale']],
  [{ ...record, noiseScale: null }, ['goodput', 'knee']],
  [{ ...record, stepTimes: [time(32)] }, ['goodput', 'noiseScale']],
  [{ ...record, stepTimes: [time(32)], noiseScale: null }, []],
  // 128 fitted and 256 did not.
  [{ ...record, stepTimes: [time(32)], noiseScale: null, failedMicroBatchSize: 256 }, policyNames],
])('a record serves those who read what it holds (%#)', (one, users) => {
  expect(policyNames.filter((name) => isUsedBy(name, one))).toEqual(users);
});
