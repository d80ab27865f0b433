import { TrainingError } from '@batchwise/core';
import { expect, it } from 'vitest';
import { trainAndKeep, type ReadyRun } from '../src/train-and-keep.ts';

it('reads no weights from a device that is gone, and says what became of the model', async () => {
  const lost = new TrainingError('deviceLost', 'The device was lost.', {});
  const printed: string[] = [];
  let reads = 0;
  const times = { seconds: 1, trainingSeconds: 1, tuningSeconds: 0, evaluationSeconds: 0 };
  const totals = { steps: 3, examples: 96, ...times };
  const run = {
    options: { save: 'model' },
    print: (line: string) => void printed.push(line),
    tf: {},
    // As far as it is looked at.
    model: { getWeights: () => [void (reads += 1)] },
    recorder: { record: () => ({ status: 'failed', totals, plans: [], epochs: [], test: null }) },
    tracer: { trace: () => undefined },
    learned: { keep: () => Promise.reject(new Error('only a completed run is learned from')) },
    train: () => Promise.reject(lost),
    test: () => Promise.reject(new Error('only a completed run is tested')),
  } as unknown as ReadyRun;
  const said: unknown[] = [];
  const { error } = console;
  console.error = (line: unknown) => void said.push(line);
  try {
    await expect(trainAndKeep(run)).rejects.toBe(lost);
  } finally {
    console.error = error;
  }
  expect(said).toEqual([
    'batchwise: --save model got no model of this run: its weights were lost with the device. Train again.',
  ]);
  expect([reads, printed.filter((line) => line.startsWith('Model'))]).toEqual([0, []]);
});
