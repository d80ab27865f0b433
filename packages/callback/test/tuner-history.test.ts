import { fakeClock } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { createTuner, type TunerOptions } from '../src/index.ts';
import { sizesInTurn } from './support.ts';

const plan = (batchSize: number) => ({ batchSize, microBatchSize: batchSize, learningRateScale: 1 });
const turn = (at: number) => ({ code: 'in-turn', text: 'It was its turn.', numbers: { at } });

/** A loop whose steps take 2 s; the controller thinks for half a second. */
function loop(options: TunerOptions = {}) {
  const clock = fakeClock();
  const turns = sizesInTurn([8, 16, 16, 32], ['seconds']);
  const controller = {
    ...turns,
    next: (...[step, state]: Parameters<typeof turns.next>) => {
      clock.advance(0.5);
      return turns.next(step, state);
    },
  };
  const tuner = createTuner({ controller, clock, ...options });
  const step = () => {
    tuner.next();
    clock.advance(2);
    tuner.report();
  };
  return { clock, tuner, step };
}

describe('the history of a loop of your own', () => {
  it('says at any time where the time went and what ran', () => {
    const { clock, tuner, step } = loop();
    const { history } = tuner;
    expect(history.totals).toEqual({
      seconds: 0,
      trainingSeconds: 0,
      tuningSeconds: 0,
      evaluationSeconds: 0,
    });
    expect(history.summary().split('\n')).toEqual([
      'Batchwise: 0 examples in 0 updates, 0 ms training and 0 ms tuning (0.0 %).',
      'Batch 8; learning rate 1 times yours now.',
      'It was its turn.',
    ]);
    step();
    step();
    // The loop validates.
    clock.advance(10);
    expect(history.totals).toEqual({
      seconds: 15,
      trainingSeconds: 4,
      tuningSeconds: 1,
      evaluationSeconds: 0,
    });
    expect(history.summary().split('\n')).toEqual([
      'Batchwise: 24 examples in 2 updates, 4.0 s training and 1.0 s tuning (20.0 %).',
      'Batch 8 → 16; learning rate 1 times yours now.',
      'It was its turn.',
      'To start there the next time: batchSize 16, and the learning rate that suits this size.',
    ]);
    step();
    expect(history.totals).toMatchObject({ seconds: 17.5, trainingSeconds: 6, tuningSeconds: 1.5 });
    expect(history.changes).toMatchObject([
      { step: 0, examples: 0, ...plan(8), reason: turn(0) },
      { step: 1, examples: 8, ...plan(16), reason: turn(1) },
      { step: 3, examples: 40, ...plan(32), reason: turn(3) },
    ]);
  });

  it('goes on from where the run was left, with its own steps and time', () => {
    const first = loop();
    first.step();
    first.step();
    const { tuner, step } = loop({ resumeFrom: first.tuner.state });
    expect(tuner.history.changes).toMatchObject([{ step: 2, examples: 24, ...plan(16), reason: turn(2) }]);
    step();
    step();
    expect(tuner.history.changes).toMatchObject([
      { step: 2, examples: 24, ...plan(16), reason: turn(2) },
      { step: 3, examples: 40, ...plan(32), reason: turn(3) },
      { step: 4, examples: 72, ...plan(8), reason: turn(4) },
    ]);
    expect(tuner.history.totals).toMatchObject({ seconds: 5, trainingSeconds: 4, tuningSeconds: 1 });
    expect(tuner.history.summary().split('\n').slice(0, 2)).toEqual([
      'Batchwise: 48 examples in 2 updates, 4.0 s training and 1.0 s tuning (20.0 %).',
      'Batch 16 → 32 → 8; learning rate 1 times yours now.',
    ]);
  });

  it('counts a step that did not fit in memory as tuning', () => {
    const clock = fakeClock();
    const tuner = createTuner({ policy: 'fixed', batchSize: 32, clock });
    tuner.next();
    clock.advance(3);
    tuner.outOfMemory();
    tuner.next();
    clock.advance(2);
    tuner.report();
    expect(tuner.history.totals).toMatchObject({ seconds: 5, trainingSeconds: 2, tuningSeconds: 3 });
  });

  it('advises the rate that the rule of the policy has for the size', () => {
    const clock = fakeClock();
    const options = { policy: 'knee', optimizer: 'sgd', datasetSize: 60_000, epochs: 20, clock } as const;
    const tuner = createTuner(options);
    for (let i = 0; i < 120; i += 1) {
      const { batchSize } = tuner.next();
      tuner.report({ seconds: 0.002 + 0.00002 * batchSize });
    }
    expect(tuner.history.summary().split('\n').at(-1)).toBe(
      'To start there the next time: batchSize 1,024 at 4 times the learning rate.',
    );
  });
});
