import { train } from '@batchwise/core';
import { listSource, QuadraticBackend, type ScalarGradient } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, halving, recorder } from './drive.ts';

class Lost extends Error {
  override readonly name = 'Lost';
}

type Moment = 'gradient' | 'apply' | 'read' | 'evaluate';

/** Loses its device at the `nth` of a kind of call, and keeps the weight of the first step for the next one. */
class LosingBackend extends QuadraticBackend {
  readonly revivals: unknown[] = [];
  #left: number;
  readonly #moment: Moment;

  constructor(moment: Moment, nth: number) {
    super();
    this.#moment = moment;
    this.#left = nth;
  }

  #pass(moment: Moment): void {
    if (moment === this.#moment && (this.#left -= 1) === 0) throw new Lost(`at ${moment}`);
  }

  override gradient(batch: readonly number[]) {
    this.#pass('gradient');
    const { gradient, loss } = super.gradient(batch);
    const read = async (): Promise<number> => {
      const value = await loss.read();
      this.#pass('read');
      return value;
    };
    return { gradient, loss: { read, dispose: () => loss.dispose() } };
  }

  override apply(gradient: ScalarGradient, scale: number): void {
    super.apply(gradient, scale);
    this.#pass('apply');
  }

  override evaluate(batch: readonly number[]) {
    this.#pass('evaluate');
    return super.evaluate(batch);
  }

  override classify(error: unknown) {
    return error instanceof Lost ? ('deviceLost' as const) : super.classify(error);
  }

  revive(cause: unknown): void {
    this.revivals.push(cause);
    this.weight = 0;
  }
}

const source = listSource([1, 2, 3, 4]);
const controller = always(decide({ batchSize: 2 }));

describe('a lost device', () => {
  it.each(['gradient', 'apply', 'read'] as const)(
    'at %s is revived and the step tried again, without asking the controller',
    async (moment) => {
      const backend = new LosingBackend(moment, 2);
      const observer = recorder();
      const summary = await train({
        backend,
        source,
        controller,
        stop: { epochs: 1 },
        observers: [observer],
      });
      expect(summary).toMatchObject({ status: 'completed', step: 2, examples: 4 });
      expect(observer.of('stepFailed').map(({ outcome }) => outcome.kind)).toEqual(['deviceLost']);
      expect(backend.revivals).toMatchObject([{ name: 'Lost', message: `at ${moment}` }]);
      // Back at 0, then once along 0 − (3 + 4)/2 at a rate of 0.1.
      expect(backend.weight).toBeCloseTo(0.35, 12);
      expect(backend.live).toBe(0);
      // A new device compiles everything anew.
      expect(observer.of('stepFinished').map(({ outcome }) => outcome.warm)).toEqual([false, false]);
    },
  );

  it('takes the losses with it that nobody has read', async () => {
    const backend = new LosingBackend('read', 1);
    const observer = recorder();
    const quiet = always(decide({ batchSize: 2 }, []));
    const run = train({ backend, source, controller: quiet, stop: { epochs: 2 }, observers: [observer] });
    expect(await run).toMatchObject({ status: 'completed', examples: 8 });
    const [first, second] = observer.of('epochFinished').map(({ trainLoss }) => trainLoss);
    expect(first).toBeNaN();
    expect(second).toBeGreaterThan(0);
    expect([backend.revivals.length, backend.live]).toEqual([1, 0]);
  });

  it('is revived for a validation', async () => {
    const backend = new LosingBackend('evaluate', 1);
    const summary = await train({ backend, source, controller, stop: { epochs: 1 }, validation: { source } });
    // Back at 0: the mean of x²/2.
    expect(summary.validation).toMatchObject({ examples: 4, loss: 3.75 });
    expect(backend.revivals).toHaveLength(1);
  });

  it('ends the run where the backend cannot revive it', async () => {
    const backend = new LosingBackend('gradient', 1);
    Object.defineProperty(backend, 'revive', { value: undefined });
    await expect(train({ backend, source, controller, stop: { epochs: 1 } })).rejects.toMatchObject({
      code: 'deviceLost',
      message:
        'The device was lost. Backend quadratic cannot get a new one: go on from what was saved, in a new process.',
      cause: { name: 'Lost' },
    });
    expect([backend.live, backend.runsEnded]).toEqual([0, 1]);
  });

  it('ends an aborted run without another try', async () => {
    const backend = new LosingBackend('gradient', 1);
    const signal = { aborted: false };
    const abort = { name: 'abort', onStepFailed: () => void (signal.aborted = true) };
    const run = train({ backend, source, controller, stop: { epochs: 1 }, signal, observers: [abort] });
    expect(await run).toMatchObject({ status: 'aborted', step: 0 });
  });
});

describe('a backend that fails late', () => {
  it('is asked before the update whether all went well', async () => {
    class Late extends QuadraticBackend {
      #tooMany = false;
      override gradient(batch: readonly number[]) {
        this.#tooMany ||= batch.length > 2;
        return super.gradient(batch);
      }
      confirm(): void {
        const failed = this.#tooMany;
        this.#tooMany = false;
        if (failed) throw new Error('out of memory, as it turns out');
      }
    }
    const [backend, free] = [new Late(), new QuadraticBackend()];
    const observer = recorder();
    const run = { source, stop: { epochs: 1 } };
    await train({ ...run, backend, controller: halving(4), observers: [observer] });
    await train({ ...run, backend: free, controller: always(decide({ batchSize: 4 })) });
    expect(observer.of('stepFailed').map(({ outcome }) => outcome.kind)).toEqual(['outOfMemory']);
    expect(backend.appliedScales).toEqual([1]);
    expect(backend.weight).toBeCloseTo(free.weight, 12);
    expect(backend.live).toBe(0);
  });
});
