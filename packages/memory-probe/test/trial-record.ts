import type { TrialRecord } from '../src/trial.ts';

/** Of a trial that fitted, with nothing read. */
export const trialRecord = (batchSize: number, fields: Partial<TrialRecord> = {}): TrialRecord => ({
  batchSize,
  verdict: 'fits',
  limit: null,
  peak: null,
  predictedPeakBytes: null,
  steps: 2,
  stepSeconds: null,
  canaryDeviation: null,
  seconds: null,
  message: null,
  ...fields,
});
