import { TrainingError } from '@batchwise/core';
import { expect, it } from 'vitest';
import { trainAndKeep, type ReadyRun } from '../src/train-and-keep.ts';

/** A run of three steps to be saved, as far as it is looked at. */
const runOf = (more: object): ReadyRun => {
  const times = { seconds: 1, trainingSeconds: 1, tuningSeconds: 0, evaluationSeconds: 0 };
  const totals = { steps: 3, examples: 96, ...times };
  return {
    options: { save: 'model' },
    print: () => undefined,
    tf: {},
    recorder: { record: () => ({ status: 'completed', totals, plans: [], epochs: [], test: null }) },
    tracer: { trace: () => undefined },
    learned: { keep: async () => undefined },
    ...more,
  } as unknown as ReadyRun;
};

it('does not put weights that are no numbers in the place of an earlier model, though the run came to its end', async () => {
  let tested = 0;
  const run = runOf({
    model: {
      getWeights: () => [{ data: async () => [1, Infinity] }],
      save: () => Promise.reject(new Error('it must not be saved')),
    },
    train: async () => ({ status: 'completed', step: 3 }),
    test: async () => void (tested += 1),
  });
  await expect(trainAndKeep(run)).rejects.toMatchObject({
    code: 'notSaved',
    message:
      '--save model got no model of this run: its weights are not all finite numbers. Lower --learning-rate and train again.',
  });
  expect(tested).toBe(1);
});

it('reads no weights from a device that is gone, and says what became of the model', async () => {
  const lost = new TrainingError('deviceLost', 'The device was lost.', {});
  const printed: string[] = [];
  let reads = 0;
  const run = runOf({
    print: (line: string) => void printed.push(line),
    model: { getWeights: () => [void (reads += 1)] },
    learned: { keep: () => Promise.reject(new Error('only a completed run is learned from')) },
    train: () => Promise.reject(lost),
    test: () => Promise.reject(new Error('only a completed run is tested')),
  });
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
