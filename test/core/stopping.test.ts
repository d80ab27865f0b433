import { train, type TrainOptions } from '@batchwise/core';
import { fakeClock, listSource, QuadraticBackend, type ScalarGradient } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, recorder, sizes } from './drive.ts';

const source = listSource([1, 2, 3, 4, 5]);
const controller = always(decide({ batchSize: 2 }));

describe('a run ends', () => {
  it('after its epochs', async () => {
    const observer = recorder();
    const backend = new QuadraticBackend();
    const summary = await train({ backend, source, controller, observers: [observer], stop: { epochs: 2 } });
    expect(summary).toMatchObject({
      status: 'completed',
      stoppedBy: 'epochs',
      step: 6,
      examples: 10,
      epoch: 2,
    });
    expect(observer.of('epochFinished')).toMatchObject([
      { epoch: 0, complete: true, epochExamples: 5, epochSteps: 3, examples: 5 },
      { epoch: 1, complete: true, epochExamples: 5, epochSteps: 3, examples: 10 },
    ]);
  });

  it('after exactly its examples, in the middle of an epoch', async () => {
    const observer = recorder();
    const backend = new QuadraticBackend();
    const summary = await train({
      backend,
      source,
      controller,
      observers: [observer],
      stop: { examples: 8 },
    });
    expect(summary).toMatchObject({ stoppedBy: 'examples', step: 5, examples: 8, epoch: 1 });
    expect(observer.of('epochFinished')).toMatchObject([
      { complete: true },
      { complete: false, epochExamples: 3 },
    ]);
    expect(backend.appliedScales).toEqual([1, 1, 0.5, 1, 0.5]);
  });

  it('after its seconds', async () => {
    const clock = fakeClock();
    const backend = new QuadraticBackend({ clock, fixedSeconds: 1 });
    const summary = await train({ backend, source, controller, stop: { seconds: 4 }, clock });
    expect(summary).toMatchObject({ stoppedBy: 'seconds', step: 4 });
  });

  it('when a validation reaches the target', async () => {
    const backend = new QuadraticBackend();
    const target = { metric: 'distance', value: 2, direction: 'atMost' } as const;
    const validation = { source: listSource([3]) };
    const summary = await train({ backend, source, controller, stop: { epochs: 50, target }, validation });
    expect(summary.stoppedBy).toBe('target');
    expect(summary.validation?.metrics['distance']).toBeLessThanOrEqual(2);
    expect(summary.epoch).toBeGreaterThan(1);
    expect(summary.epoch).toBeLessThan(10);
  });

  it('with the summary so far when it is aborted', async () => {
    const backend = new QuadraticBackend();
    const signal = { aborted: false };
    const abortAt = {
      name: 'abort',
      onStepFinished: (e: { step: number }) => void (signal.aborted = e.step === 4),
    };
    const observer = recorder();
    const observers = [abortAt, observer];
    const validation = { source };
    const summary = await train({
      backend,
      source,
      controller,
      observers,
      stop: { epochs: 9 },
      signal,
      validation,
    });
    expect(summary).toMatchObject({ status: 'aborted', stoppedBy: 'abort', step: 4, examples: 7 });
    expect(summary.checkpoint).toMatchObject({ epoch: 1, examplesIntoEpoch: 2 });
    expect(observer.of('runFinished')).toMatchObject([{ status: 'aborted' }]);
    expect(backend.live).toBe(0);
  });
});

describe('validation', () => {
  it('comes by examples, and once more at the end', async () => {
    const observer = recorder();
    const eight = listSource([1, 2, 3, 4, 5, 6, 7, 8]);
    const validation = { source, everyExamples: 3 };
    const backend = new QuadraticBackend();
    await train({
      backend,
      source: eight,
      controller,
      observers: [observer],
      stop: { epochs: 1 },
      validation,
    });
    expect(observer.of('validated').map(({ examples }) => examples)).toEqual([4, 6, 8]);
  });

  it('does not depend on the batch size of training', async () => {
    const at = async (...batchSizes: number[]) => {
      const observer = recorder();
      const long = listSource(Array.from({ length: 120 }, (_, i) => i % 7));
      const validation = { source, everyExamples: 24 };
      const options = { source: long, controller: sizes(...batchSizes), observers: [observer], validation };
      await train({ backend: new QuadraticBackend(), stop: { epochs: 1 }, ...options });
      return observer.of('validated').map(({ examples }) => examples);
    };
    expect(await at(2)).toEqual([24, 48, 72, 96, 120]);
    expect(await at(4, 8, 12)).toEqual([24, 48, 72, 96, 120]);
  });

  it('averages over examples, not over batches', async () => {
    const observer = recorder();
    const backend = new QuadraticBackend({ learningRate: 0 });
    const validation = { source: listSource([1, 1, 4]), batchSize: 2 };
    await train({ backend, source, controller, observers: [observer], stop: { epochs: 1 }, validation });
    const { result } = observer.of('validated')[0] ?? {};
    expect(result).toMatchObject({ examples: 3, loss: 3 });
    expect(result?.metrics['distance']).toBeCloseTo(2, 12);
  });
});

describe('a resumed run', () => {
  it('makes the plans and sees the examples of an unbroken one', async () => {
    const [whole, parts] = [new QuadraticBackend(), new QuadraticBackend()];
    const growing = (): TrainOptions<readonly number[], ScalarGradient, number>['controller'] =>
      sizes(1, 2, 3, 4, 2, 1);
    const [first, second, unbroken] = [recorder(), recorder(), recorder()];
    await train({
      backend: whole,
      source,
      controller: growing(),
      observers: [unbroken],
      stop: { epochs: 3 },
    });
    const half = await train({
      backend: parts,
      source,
      controller: growing(),
      observers: [first],
      stop: { examples: 7 },
    });
    const resumeFrom = JSON.parse(JSON.stringify(half.checkpoint)) as typeof half.checkpoint;
    const options = {
      backend: parts,
      source,
      controller: growing(),
      observers: [second],
      stop: { epochs: 3 },
    };
    const end = await train({ ...options, resumeFrom });
    expect(end).toMatchObject({ examples: 15, epoch: 3 });
    const plans = [...first.of('stepFinished'), ...second.of('stepFinished')].map(
      ({ outcome }) => outcome.plan.batchSize,
    );
    // The limit on examples cut one step short; from there on the plans are the same.
    expect(plans.slice(0, 4)).toEqual(
      unbroken
        .of('stepFinished')
        .slice(0, 4)
        .map(({ outcome }) => outcome.plan.batchSize),
    );
    expect(second.of('runStarted')[0]?.plan).toEqual(half.checkpoint.decision.plan);
  });

  it('ends with the weights of an unbroken one when it was cut between steps', async () => {
    const [whole, parts] = [new QuadraticBackend(), new QuadraticBackend()];
    await train({ backend: whole, source, controller: sizes(2), stop: { epochs: 2 } });
    const half = await train({ backend: parts, source, controller: sizes(2), stop: { examples: 7 } });
    const end = await train({
      backend: parts,
      source,
      controller: sizes(2),
      stop: { epochs: 2 },
      resumeFrom: half.checkpoint,
    });
    expect(parts.weight).toBeCloseTo(whole.weight, 12);
    expect(end.step).toBe(6);
  });
});
