import { expect } from 'vitest';

/** `batchwise.run/1`, as far as a reader may rely on it. Written down here a second time, on purpose. */
export interface RunRecord {
  schema: string;
  status: 'completed' | 'aborted' | 'failed';
  seed: number;
  dataset: { name: string; source: string; trainExamples: number; validationExamples: number };
  model: { name: string; parameters: number };
  backend: { name: string; version: string; device: string };
  policy: { name: string; options: Record<string, unknown> };
  optimizer: { name: string; learningRate: number };
  sampler: { name: string };
  epochs: {
    epoch: number;
    examples: number;
    steps: number;
    seconds: number;
    trainLoss: number;
    validationLoss: number;
    validationAccuracy: number;
  }[];
  plans: {
    step: number;
    examples: number;
    batchSize: number;
    microBatchSize: number;
    learningRateScale: number;
    reason: { code: string; text: string; numbers: Record<string, number> };
  }[];
  totals: Record<
    'steps' | 'examples' | 'seconds' | 'trainingSeconds' | 'tuningSeconds' | 'evaluationSeconds',
    number
  >;
  test: { loss: number; accuracy: number } | null;
  memory: { peakBytes: number; source: string };
}

const number = expect.any(Number) as number;
const text = expect.stringMatching(/./) as string;

/** Checks each field of a record, and that its parts agree with each other. */
export function expectRunRecord(value: unknown): RunRecord {
  const record = value as RunRecord;
  expect(record).toMatchObject({
    schema: 'batchwise.run/1',
    status: text,
    seed: number,
    dataset: { name: text, source: text, trainExamples: number, validationExamples: number },
    model: { name: text, parameters: number },
    backend: { name: text, version: text, device: text },
    policy: { name: text, options: {} },
    optimizer: { name: text, learningRate: number },
    sampler: { name: text },
    memory: { peakBytes: number, source: text },
  });
  for (const plan of record.plans)
    expect(plan).toEqual({
      step: number,
      examples: number,
      batchSize: number,
      microBatchSize: number,
      learningRateScale: number,
      reason: { code: text, text, numbers: expect.any(Object) as Record<string, number> },
    });
  expect(record.plans[0]).toMatchObject({ step: 0, examples: 0 });
  const keys = ['steps', 'examples', 'seconds', 'trainingSeconds', 'tuningSeconds', 'evaluationSeconds'];
  expect(Object.keys(record.totals).sort()).toEqual([...keys].sort());
  const { seconds, trainingSeconds, tuningSeconds, evaluationSeconds } = record.totals;
  expect(Math.min(trainingSeconds, tuningSeconds, evaluationSeconds)).toBeGreaterThanOrEqual(0);
  expect(trainingSeconds + tuningSeconds + evaluationSeconds).toBeLessThanOrEqual(seconds * 1.001);
  for (const epoch of record.epochs)
    for (const name of ['epoch', 'examples', 'steps', 'seconds', 'trainLoss'] as const)
      expect(Number.isFinite(epoch[name]), `epochs.${name}`).toBe(true);
  for (const name of ['examples', 'steps'] as const)
    expect(record.epochs.reduce((sum, epoch) => sum + epoch[name], 0)).toBe(record.totals[name]);
  return record;
}
