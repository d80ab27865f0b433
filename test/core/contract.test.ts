import { train, type TrainOptions } from '@batchwise/core';
import {
  describeBackend,
  describeSource,
  listSource,
  QuadraticBackend,
  type ScalarGradient,
} from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, recorder, sizes } from './drive.ts';

type Options = TrainOptions<readonly number[], ScalarGradient, null>;

const source = listSource([1, 2, 3]);
const controller = always(decide({ batchSize: 2 }));
const options = (over: Partial<Options> = {}): Options => ({
  backend: new QuadraticBackend(),
  source,
  controller,
  stop: { epochs: 1 },
  ...over,
});

describeBackend('QuadraticBackend', () => {
  const backend = new QuadraticBackend({ weight: 3 });
  const batch = (size: number): number[] => Array.from({ length: size }, (_, i) => i / 2);
  return { backend, batch, live: () => backend.live };
});
describeSource('listSource', () => listSource([5, 6, 7, 8, 9, 10]), { idsOf: (batch) => batch });

describe('events', () => {
  it('come in the order that run-events.ts draws', async () => {
    const observer = recorder();
    await train({ ...options(), controller: sizes(2, 1), observers: [observer], validation: { source } });
    expect(observer.told.map(([event]) => event)).toEqual([
      'runStarted',
      'stepFinished',
      'planChanged',
      'stepFinished',
      'validated',
      'epochFinished',
      'runFinished',
    ]);
  });

  it('end the run with the name of an observer that throws, and still report its end', async () => {
    const backend = new QuadraticBackend();
    const observer = recorder();
    const broken = {
      name: 'broken plot',
      onStepFinished() {
        throw new Error('no canvas');
      },
    };
    const run = train(options({ backend, observers: [broken, observer] }));
    await expect(run).rejects.toMatchObject({
      code: 'observerFailed',
      message: expect.stringContaining('"broken plot" threw in onStepFinished: Error: no canvas') as string,
    });
    expect(observer.of('runFinished')).toMatchObject([{ status: 'failed' }]);
    expect([backend.live, backend.runsEnded]).toEqual([0, 1]);
  });
});

describe('what cannot be run is refused before anything is touched', () => {
  const refusals: [string, Partial<Options>, string][] = [
    [
      'no end',
      { stop: {} },
      'The run has no end. Give stop at least one of epochs, examples, seconds or target.',
    ],
    ['half an epoch', { stop: { epochs: 0.5 } }, 'stop.epochs is 0.5. Give a whole number above 0.'],
    ['negative examples', { stop: { examples: -1 } }, 'stop.examples is -1. Give a whole number above 0.'],
    ['no seconds', { stop: { seconds: 0 } }, 'stop.seconds is 0. Give a number above 0.'],
    [
      'a target without validation',
      { stop: { target: { metric: 'acc', value: 0.9, direction: 'atLeast' } } },
      'The target on acc needs validation. Give validation a source, or drop stop.target.',
    ],
    [
      'an empty source',
      { source: listSource([]) },
      'The source holds no examples. Check what it was made from.',
    ],
    [
      'a cadence of nothing',
      { validation: { source, everyExamples: 0 } },
      'validation.everyExamples is 0. Give a whole number above 0.',
    ],
  ];
  it.each(refusals)('%s', async (_what, over, message) => {
    const backend = new QuadraticBackend();
    await expect(train(options({ backend, ...over }))).rejects.toThrow(message);
    expect(backend.microBatchSizes).toEqual([]);
  });

  it('a controller that needs what the backend cannot measure', async () => {
    const backend = new QuadraticBackend();
    backend.can = new Set(['loss']);
    // It would ask for it later: that too is refused at once.
    const curious = { ...controller, measures: ['loss', 'gradient'] } as const;
    await expect(train(options({ backend, controller: curious }))).rejects.toMatchObject({
      code: 'cannotMeasure',
      message: 'always needs gradient measured. Backend quadratic measures loss; take another controller.',
    });
    expect(backend.microBatchSizes).toEqual([]);
  });

  it('a target on a metric that does not exist', async () => {
    const stop = { epochs: 1, target: { metric: 'acc', value: 1, direction: 'atLeast' } } as const;
    const run = train(options({ stop, validation: { source } }));
    await expect(run).rejects.toThrow('There is no metric "acc" to stop at. The model has: distance, loss.');
  });
});
