import { evaluate, train, type BatchController, type Decision } from '@batchwise/core';
import { fakeClock, listSource, QuadraticBackend } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, halving, recorder, sizes } from './drive.ts';
import { MergingBackend } from './merging-backend.ts';

const source = listSource([1, 2, 3, 4]);
const controller = always(decide({ batchSize: 2 }));

const measured = always(decide({ batchSize: 4 }, ['loss', 'gradient']));

describe('a failure', () => {
  it('after the update ends the run: its examples are not trained on twice', async () => {
    class Unsettled extends QuadraticBackend {
      override settle(): void {
        throw new Error('out of memory while waiting');
      }
    }
    const backend = new Unsettled();
    const timed = {
      ...halving(4),
      start: () => ({ ...decide({ batchSize: 4 }, ['loss', 'seconds']), state: 4 }),
    };
    const run = train({ backend, source, controller: timed, stop: { epochs: 1 } });
    await expect(run).rejects.toThrow('out of memory while waiting');
    expect(backend.appliedScales).toEqual([1]);
    expect(backend.live).toBe(0);
  });

  it('in merge leaves nothing behind', async () => {
    const backend = new MergingBackend();
    backend.merge = () => {
      throw new Error('broken');
    };
    const run = train({ backend, source, controller: measured, stop: { epochs: 1 } });
    await expect(run).rejects.toThrow('broken');
    expect([backend.live, backend.appliedScales.length]).toEqual([0, 0]);
  });

  it.each(['dot', 'accumulate'] as const)('in %s leaves nothing behind', async (method) => {
    const backend = new QuadraticBackend();
    let calls = 0;
    const original = backend[method].bind(backend) as (...args: unknown[]) => never;
    Object.assign(backend, {
      [method]: (...args: unknown[]) => {
        if ((calls += 1) === 2) throw new Error('broken');
        return original(...args);
      },
    });
    await expect(train({ backend, source, controller: measured, stop: { epochs: 1 } })).rejects.toThrow(
      'broken',
    );
    expect([backend.live, backend.appliedScales.length]).toEqual([0, 0]);
  });

  it('is not tried again at the size that failed', async () => {
    const backend = new QuadraticBackend({ memoryLimit: 1 });
    const stubborn: BatchController<null> = {
      ...always(decide({ batchSize: 4 })),
      recover: () => ({ kind: 'retry', decision: decide({ batchSize: 4 }) }),
    };
    await expect(train({ backend, source, controller: stubborn, stop: { epochs: 1 } })).rejects.toMatchObject(
      {
        code: 'outOfMemory',
        hint: 'Controller always wants 4 next; it must ask for fewer.',
      },
    );
    expect(backend.microBatchSizes).toEqual([4]);
  });

  it('can be aborted between two tries', async () => {
    const backend = new QuadraticBackend({ memoryLimit: 1 });
    const signal = { aborted: false };
    const abort = { name: 'abort', onStepFailed: () => void (signal.aborted = true) };
    const options = {
      backend,
      source,
      controller: halving(4),
      observers: [abort],
      stop: { epochs: 1 },
      signal,
    };
    expect(await train(options)).toMatchObject({ status: 'aborted', examples: 0, step: 0 });
    expect(backend.microBatchSizes).toEqual([4]);
  });

  it('of the memory reading does not keep the backend from ending the run', async () => {
    const backend = new QuadraticBackend();
    backend.memory = () => {
      throw new Error('no reading');
    };
    await expect(train({ backend, source, controller, stop: { epochs: 1 } })).rejects.toThrow('no reading');
    expect(backend.runsEnded).toBe(1);
  });

  it('of one observer does not keep the others from being told', async () => {
    const [first, last] = [recorder(), recorder()];
    const broken = {
      name: 'broken',
      onRunFinished() {
        throw new Error('full disk');
      },
    };
    const observers = [first, broken, last];
    const run = train({
      backend: new QuadraticBackend(),
      source,
      controller,
      observers,
      stop: { epochs: 1 },
    });
    await expect(run).rejects.toThrow('Observer "broken" threw in onRunFinished');
    expect([first, last].map((observer) => observer.of('runFinished').length)).toEqual([1, 1]);
  });
});

describe('evaluation', () => {
  const limited = (limit: number): QuadraticBackend => {
    const backend = new QuadraticBackend();
    const whole = backend.evaluate.bind(backend);
    backend.evaluate = (batch) => {
      if (batch.length > limit) throw new Error(`out of memory at ${batch.length}`);
      return whole(batch);
    };
    return backend;
  };

  it('goes on with smaller batches where one does not fit, and counts each example once', async () => {
    const examples = listSource([1, 2, 3, 4, 5, 6, 7]);
    const fits = await evaluate(new QuadraticBackend(), examples);
    const backend = limited(2);
    const { examples: count, loss, metrics } = await evaluate(backend, examples, { batchSize: 5 });
    expect([count, backend.live]).toEqual([7, 0]);
    expect(loss).toBeCloseTo(fits.loss, 12);
    expect(metrics['distance']).toBeCloseTo(4, 12);
    await expect(evaluate(limited(0), examples)).rejects.toThrow('out of memory at 1');
  });

  it('that an abort comes into still ends a run that was finished', async () => {
    const signal = { aborted: false };
    const backend = new QuadraticBackend();
    const abort = { name: 'abort', onValidated: () => void (signal.aborted = true) };
    const stop = { examples: 4 };
    const validation = { source, everyExamples: 100 };
    const summary = await train({
      backend,
      source,
      controller,
      observers: [abort],
      stop,
      signal,
      validation,
    });
    expect(summary).toMatchObject({ status: 'completed', stoppedBy: 'examples' });
  });

  it('keeps its cadence when a run is resumed in the middle of it', async () => {
    const eight = listSource([1, 2, 3, 4, 5, 6, 7, 8]);
    const validation = { source, everyExamples: 6 };
    const observer = recorder();
    const backend = new QuadraticBackend();
    const half = await train({ backend, source: eight, controller, stop: { examples: 4 } });
    const rest = {
      backend,
      source: eight,
      controller,
      observers: [observer],
      stop: { epochs: 2 },
      validation,
    };
    await train({ ...rest, resumeFrom: half.checkpoint });
    expect(observer.of('validated').map(({ examples }) => examples)).toEqual([6, 12, 16]);
  });
});

describe('a plan', () => {
  it('that is larger than the data trains at the full rate', async () => {
    const backend = new QuadraticBackend();
    await train({ backend, source, controller: always(decide({ batchSize: 100 })), stop: { epochs: 2 } });
    expect(backend.appliedScales).toEqual([1, 1]);
  });

  it('that was tried out and is kept is told with its reason', async () => {
    const firm = (code: string, state: number): Decision<number> => {
      const { plan, measure } = decide({ batchSize: 2 });
      return { plan, measure, reason: { code, text: code, numbers: {} }, state, firm: true };
    };
    const trying: BatchController<number> = {
      ...sizes(2),
      start: () => firm('explore', 0),
      next: (_step, state) => (state < 2 ? firm('explore', state + 1) : firm('chosen', state)),
    };
    const observer = recorder();
    const backend = new QuadraticBackend();
    await train({ backend, source, controller: trying, observers: [observer], stop: { epochs: 4 } });
    expect(observer.of('planChanged').map(({ step, reason }) => [step, reason.code])).toEqual([
      [3, 'chosen'],
    ]);
  });

  it('that is new makes the next step cold, and its first-use cost is tuning', async () => {
    const clock = fakeClock();
    class Compiling extends QuadraticBackend {
      readonly seen = new Set<number>();
      override gradient(batch: readonly number[]) {
        clock.advance(this.seen.has(batch.length) ? 1 : 5);
        this.seen.add(batch.length);
        return super.gradient(batch);
      }
    }
    const observer = recorder();
    const timed = sizes(2, 2, 2, 4, 4, 4);
    const measure = ['loss', 'seconds'] as const;
    const withSeconds: BatchController<number> = {
      ...timed,
      measures: measure,
      start: (run) => ({ ...timed.start(run), measure }),
      next: (step, state) => ({ ...timed.next(step, state), measure }),
    };
    const examples = listSource(Array.from({ length: 18 }, () => 1));
    const validation = { source: listSource([1]) };
    const options = { source: examples, controller: withSeconds, observers: [observer], clock, validation };
    await train({ backend: new Compiling(), ...options, stop: { epochs: 1 } });
    expect(observer.of('stepFinished').map(({ outcome }) => [outcome.warm, outcome.seconds])).toEqual([
      [false, 5],
      [true, 1],
      [true, 1],
      [false, 5],
      [true, 1],
      [true, 1],
    ]);
    // The first step of the run would be slow without a tuner too; the first of the new size would not have been.
    const { totals } = observer.of('runFinished')[0] ?? {};
    expect(totals).toEqual({ seconds: 14, trainingSeconds: 10, tuningSeconds: 4, evaluationSeconds: 0 });
  });
});
