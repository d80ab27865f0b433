import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../src/run-record.ts';
import { summaryOf } from '../src/summary.ts';

const reason = { code: 'goodput', text: 'Steps of 128 pay.', numbers: {} };
const plan = { step: 0, examples: 0, batchSize: 32, microBatchSize: 32, learningRateScale: 1, reason };
const record: RunRecord = {
  schema: 'batchwise.run/1',
  probe: null,
  status: 'completed',
  seed: 1,
  dataset: { name: 'mnist', source: 'cache', trainExamples: 54_000, validationExamples: 6000 },
  model: { name: 'mlp', parameters: 42_310 },
  backend: { name: 'wasm', version: '4', device: 'test' },
  policy: { name: 'goodput', options: {} },
  optimizer: { name: 'adam', learningRate: 0.002 },
  sampler: { name: 'shuffled' },
  epochs: [
    {
      epoch: 1,
      examples: 54_000,
      steps: 500,
      seconds: 3,
      trainLoss: 0.3,
      validationLoss: 0.2,
      validationAccuracy: 0.95,
    },
  ],
  plans: [
    plan,
    { ...plan, step: 9, microBatchSize: 16 },
    { ...plan, step: 13, examples: 416, batchSize: 128 },
  ],
  totals: {
    steps: 500,
    examples: 54_000,
    seconds: 3.6,
    trainingSeconds: 3,
    tuningSeconds: 0.06,
    evaluationSeconds: 0.5,
  },
  test: { loss: 0.21, accuracy: 0.948 },
  memory: { peakBytes: 5_980_000, source: 'engine' },
};
// Colour or not is the terminal's matter.
const plain = (text: string): string[] => text.replaceAll(/\u001b\[\d+m/g, '').split('\n');

describe('summaryOf', () => {
  it('says how good, what was chosen and why, and where the time went', () => {
    expect(plain(summaryOf(record, 0.96))).toEqual([
      'Trained     54,000 examples in 500 steps, 3.6 s',
      'Test        accuracy 94.8 %, loss 0.2100',
      'Target      validation accuracy 96.0 % not reached, the best was 95.0 %',
      'Batch       32 → 128  (policy goodput)',
      '            Steps of 128 pay.',
      'Time        3.0 s training, 60 ms tuning (2.0 % of it), 500 ms evaluating',
      'Memory      5.98 MB at most, by the engine',
    ]);
  });

  it('leaves out what is not known of an interrupted run', () => {
    const text = plain(summaryOf({ ...record, status: 'aborted', test: null, memory: null, plans: [] }));
    expect(text[0]).toBe('Interrupted 54,000 examples in 500 steps, 3.6 s');
    expect(text.join()).not.toMatch(/Test|Memory|Batch|Target/);
  });
});
