import { train, TrainingError, type BatchController, type Checkpoint, type Json } from '@batchwise/core';
import { listSource, QuadraticBackend } from '@batchwise/testing';
import { policy } from '@batchwise/tuner';
import { describe, expect, it } from 'vitest';
import { always, decide } from './drive.ts';

const source = listSource([1, 2, 3, 4, 5]);
const controller = always(decide({ batchSize: 2 }));

const stopped = async (by: BatchController<Json> = controller): Promise<Checkpoint<Json>> => {
  const end = await train({ backend: new QuadraticBackend(), source, controller: by, stop: { examples: 2 } });
  return JSON.parse(JSON.stringify(end.checkpoint)) as Checkpoint<Json>;
};

/** What resuming from something comes to, and how many updates were applied. */
async function resumed(resumeFrom: unknown, by: BatchController<Json> = controller) {
  const backend = new QuadraticBackend();
  const run = train({
    backend,
    source,
    controller: by,
    stop: { epochs: 1 },
    resumeFrom: resumeFrom as Checkpoint<Json>,
  });
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, updates: backend.appliedScales.length };
}

describe('a checkpoint', () => {
  it('goes on where the run was stopped', async () => {
    expect(await resumed(await stopped())).toEqual({ error: undefined, updates: 2 });
  });

  it.each<[string, (good: Checkpoint<Json>) => unknown]>([
    ['resumeFrom is "oops".', () => 'oops'],
    ['resumeFrom is null.', () => null],
    ['resumeFrom.epoch is missing.', () => ({})],
    ['resumeFrom.epoch is "0".', (good) => ({ ...good, epoch: '0' })],
    ['resumeFrom.step is -1.', (good) => ({ ...good, step: -1 })],
    ['resumeFrom.examples is 1.5.', (good) => ({ ...good, examples: 1.5 })],
    ['resumeFrom.decision is missing.', (good) => ({ ...good, decision: undefined })],
    ['resumeFrom.decision is {}.', (good) => ({ ...good, decision: {} })],
    [
      'resumeFrom.decision.plan is {"batchSize":0}.',
      (good) => ({ ...good, decision: { ...good.decision, plan: { batchSize: 0 } } }),
    ],
    [
      'resumeFrom.decision.reason is missing.',
      (good) => ({ ...good, decision: { ...good.decision, reason: undefined } }),
    ],
    [
      'resumeFrom.decision.measure is "loss".',
      (good) => ({ ...good, decision: { ...good.decision, measure: 'loss' } }),
    ],
    ['The checkpoint is 6 examples into an epoch of 5.', (good) => ({ ...good, examplesIntoEpoch: 6 })],
  ])('is refused before the first step: %s', async (message, spoilt) => {
    const { error, updates } = await resumed(spoilt(await stopped()));
    expect(error).toBeInstanceOf(TrainingError);
    expect(error).toMatchObject({
      code: 'invalidOptions',
      message: expect.stringContaining(message) as string,
    });
    expect(updates).toBe(0);
  });

  it.each<[string, BatchController<Json>, BatchController<Json>]>([
    ['the guard', policy('goodput', { guard: false }), policy('goodput')],
    ['the policy', policy('goodput'), policy('knee')],
  ])('of a run with another choice of %s is told from one that can go on', async (_what, first, second) => {
    const { error } = await resumed(await stopped(first), second);
    expect(error).toMatchObject({
      code: 'invalidOptions',
      message:
        `Controller ${second.name} cannot go on from the state in the checkpoint. ` +
        'Resume with the controller and the options that the run was stopped with.',
      cause: expect.any(TypeError) as TypeError,
    });
  });

  it('takes no blame for what its controller does later', async () => {
    const broken = {
      ...controller,
      next(step) {
        if (step.totalExamples > 4) throw new Error('Mine.');
        return controller.next(step, null);
      },
    } satisfies BatchController<Json>;
    expect((await resumed(await stopped(), broken)).error).toEqual(new Error('Mine.'));
  });
});
