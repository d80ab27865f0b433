import { train, type BatchController, type Decision } from '@batchwise/core';
import { fakeClock, listSource, QuadraticBackend, type ScalarGradient } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, recorder } from './drive.ts';

const source = listSource([1, 2, 3, 4, 5, 6]);

type Wish = Decision<number>['snapshot'] | 'none';

/** One example a step, with a wish for each; a loss that is not finite is tried again with the last wish. */
function wishing(...wishes: readonly Wish[]): BatchController<number> {
  const at = (step: number): Decision<number> => {
    const wish = wishes[step] ?? 'none';
    const { plan, reason, measure } = decide({ batchSize: 1 });
    return { plan, reason, measure, state: step, ...(wish !== 'none' && { snapshot: wish }) };
  };
  return {
    name: 'wishing',
    measures: ['loss'],
    restores: true,
    start: () => at(0),
    next: (_step, state) => at(state + 1),
    recover: (_step, state) => ({ kind: 'retry', decision: { ...at(state), snapshot: 'restore' } }),
  };
}

/** w after plain gradient descent at 0.1 over these examples. */
const descended = (examples: readonly number[], from = 0): number =>
  examples.reduce((w, x) => w - 0.1 * (w - x), from);

describe('weights', () => {
  it('go back to the copy that was kept last, before the step that asked for it', async () => {
    const backend = new QuadraticBackend();
    const controller = wishing('none', 'none', 'take', 'keep', 'restore', 'none');
    await train({ backend, source, controller, stop: { epochs: 1 } });
    // Copied after 1 and 2; 3 and 4 are undone; 5 and 6 follow.
    expect(backend.weight).toBeCloseTo(descended([1, 2, 5, 6]), 12);
    expect(backend.live).toBe(0);
  });

  it.each<[string, number[], Wish[]]>([
    ['was only taken', [5, 6], ['none', 'none', 'take', 'none', 'restore', 'none']],
    ['was taken after the one that was kept', [1, 6], ['none', 'take', 'keep', 'restore', 'take', 'restore']],
    ['was taken before weights went back', [6], ['none', 'take', 'restore', 'keep', 'none', 'restore']],
    [
      'was taken twice before one was kept',
      [1, 2, 5, 6],
      ['none', 'take', 'take', 'keep', 'restore', 'none'],
    ],
  ])('do not go back to a copy that %s', async (_what, trained, wishes) => {
    const backend = new QuadraticBackend();
    await train({ backend, source, controller: wishing(...wishes), stop: { epochs: 1 } });
    expect(backend.weight).toBeCloseTo(descended(trained), 12);
    expect(backend.live).toBe(0);
  });

  it('go back to those before the first step where no other copy was asked for', async () => {
    const backend = new QuadraticBackend({ weight: 7 });
    const controller = wishing('none', 'none', 'restore', 'none', 'restore', 'none');
    await train({ backend, source, controller, stop: { epochs: 1 } });
    expect(backend.weight).toBeCloseTo(descended([5, 6], 7), 12);
  });

  it('go back for the retry of a failed step, and the same examples are tried', async () => {
    const backend = new QuadraticBackend();
    const observer = recorder();
    const poison = {
      name: 'poison',
      onStepFinished: () => void (backend.appliedScales.length === 2 && (backend.weight = NaN)),
    };
    const controller = wishing('none', 'take', 'keep', 'none');
    await train({
      backend,
      source,
      controller,
      observers: [poison, observer],
      stop: { examples: 4 },
    });
    // 2 was the last update before the weight was spoilt, and it came after the copy.
    expect(backend.weight).toBeCloseTo(descended([1, 3, 4]), 12);
    expect(observer.of('stepFailed').map(({ outcome }) => outcome.kind)).toEqual(['nonFinite']);
    // The plan is the same, but it is told all the same.
    expect(observer.of('planChanged')).toHaveLength(1);
    expect([backend.live, observer.of('runFinished')[0]?.examples]).toEqual([0, 4]);
  });

  it('are back at the end of a run that ends before the step that asked for them', async () => {
    const backend = new QuadraticBackend();
    const controller = wishing('none', 'none', 'none', 'restore');
    const { checkpoint } = await train({ backend, source, controller, stop: { examples: 3 } });
    expect(backend.weight).toBe(0);
    // A run that goes on has a copy of its own.
    await train({ backend, source, controller, stop: { examples: 5 }, resumeFrom: checkpoint });
    expect(backend.weight).toBeCloseTo(descended([4, 5]), 12);
  });

  it('are back before a validation, which is not of the weights that are given up', async () => {
    const backend = new QuadraticBackend();
    const controller = wishing('none', 'none', 'none', 'restore');
    const seen: number[] = [];
    const onValidated = (): void => void seen.push(backend.weight);
    const validation = { source, everyExamples: 3 };
    const observers = [{ name: 'weights', onValidated }];
    await train({ backend, source, controller, validation, observers, stop: { examples: 3 } });
    expect(seen).toEqual([0]);
  });

  it('are copied at the cost of tuning, not of training', async () => {
    const clock = fakeClock();
    const backend = new QuadraticBackend({ clock, fixedSeconds: 1 });
    const snapshot = backend.snapshot.bind(backend);
    backend.snapshot = () => {
      clock.advance(5);
      return snapshot();
    };
    const { totals } = await train({
      backend,
      source,
      clock,
      controller: wishing('none', 'take'),
      stop: { examples: 3 },
    });
    expect(totals).toMatchObject({ seconds: 13, trainingSeconds: 3, tuningSeconds: 10 });
  });

  it('are copied once for each wish, also where an epoch ends before the step', async () => {
    const backend = new QuadraticBackend();
    const snapshot = backend.snapshot.bind(backend);
    let copies = 0;
    backend.snapshot = () => {
      copies += 1;
      return snapshot();
    };
    const wishes: Wish[] = ['none', 'take', 'none', 'none', 'none', 'none', 'take', 'none'];
    // Only a stream says that its epoch is over when it is asked for more.
    const stream = { ...source, size: undefined };
    await train({ backend, source: stream, controller: wishing(...wishes), stop: { examples: 9 } });
    // One before the first step, and one for each wish.
    expect(copies).toBe(3);
  });

  it('need a backend that copies them, which is asked before the first step', async () => {
    const backend = new QuadraticBackend();
    Object.defineProperty(backend, 'snapshot', { value: undefined });
    const run = train({ backend, source, controller: wishing(), stop: { epochs: 1 } });
    await expect(run).rejects.toMatchObject({
      code: 'cannotMeasure',
      message: expect.stringContaining('wishing needs to restore weights.') as string,
    });
    expect(backend.microBatchSizes).toEqual([]);
  });

  it('cannot be restored where the controller never said that it may', async () => {
    const controller = { ...wishing('none', 'restore'), restores: false };
    const backend = new QuadraticBackend();
    await expect(train({ backend, source, controller, stop: { epochs: 1 } })).rejects.toThrow(
      'wishing asks for weights that nobody kept. Set restores',
    );
    expect(backend.live).toBe(0);
  });
});

describe('a penalty', () => {
  it('is told apart from the gradients of the examples', async () => {
    const backend = new QuadraticBackend({ weight: 10, penalty: 0.5 });
    const observer = recorder();
    const { plan, reason } = decide({ batchSize: 3, microBatchSize: 2 });
    const decision = { plan, reason, measure: ['gradient'], state: null } as const;
    await train({
      backend,
      source,
      observers: [observer],
      controller: {
        name: 'measuring',
        measures: ['gradient'],
        start: () => decision,
        next: () => decision,
        recover: () => ({ kind: 'giveUp', message: 'no' }),
      },
      stop: { examples: 3 },
    });
    // Parts {1, 2} and {3}: g = 10 − mean + 5, r = 5.
    expect(observer.of('stepFinished')[0]?.outcome.gradient).toEqual({
      sizes: [2, 1],
      squaredNorms: [13.5 ** 2, 12 ** 2],
      crossProduct: 2 * 1 * 13.5 * 12,
      penalty: { squaredNorm: 25, products: [5 * 13.5, 5 * 12] },
    });
    expect(backend.live).toBe(0);
  });
});

it('says with each step why it ran that plan', async () => {
  const observer = recorder();
  await train({
    backend: new QuadraticBackend(),
    source,
    controller: wishing(),
    observers: [observer],
    stop: { examples: 2 },
  });
  expect(observer.of('stepFinished').map(({ reason }) => reason.text)).toEqual(['said so', 'said so']);
});

it('hands the plan on how fast the averages of the optimizer forget', async () => {
  const backend = new QuadraticBackend();
  const scales: (number | undefined)[] = [];
  const apply = backend.apply.bind(backend);
  Object.defineProperty(backend, 'apply', {
    value: (gradient: ScalarGradient, rate: number, moments?: number) => {
      scales.push(moments);
      apply(gradient, rate);
    },
  });
  const plain = decide({ batchSize: 2 });
  const faster = { ...plain, plan: { ...plain.plan, momentDecayScale: 3 } };
  await train({ backend, source, controller: always(faster), stop: { examples: 2 } });
  await train({ backend, source, controller: always(plain), stop: { examples: 2 } });
  expect(scales).toEqual([3, undefined]);
});
