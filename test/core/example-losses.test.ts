import { train, type BatchSource, type FailedStep, type Json } from '@batchwise/core';
import { listSource, QuadraticBackend } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, halving } from './drive.ts';

/** A source that writes down what it is told. */
function listening(examples: readonly number[]): BatchSource<readonly number[]> & { told: number[][] } {
  const inner = listSource(examples);
  const told: number[][] = [];
  return {
    ...inner,
    told,
    epoch(index, startAt) {
      const cursor = inner.epoch(index, startAt);
      return { take: (count) => cursor.take(count), observe: (losses) => told.push(Array.from(losses)) };
    },
    state: (): Json => told.length,
  };
}

describe('a source that learns from losses', () => {
  it('is told each example’s loss at the weight it was trained at, in the order of the batch', async () => {
    const source = listening([1, 2, 3, 4]);
    const backend = new QuadraticBackend();
    const controller = always(decide({ batchSize: 2 }));
    const { checkpoint } = await train({ backend, source, controller, stop: { epochs: 1 } });
    // w is 0 for 1 and 2, then 0 - 0.1 (0 - 1.5) = 0.15 for 3 and 4; a loss is (w - x)²/2.
    expect(source.told).toEqual([
      [0.5, 2],
      [2.85 ** 2 / 2, 3.85 ** 2 / 2],
    ]);
    expect(checkpoint.source).toBe(2);
    expect(backend.live).toBe(0);
  });

  it('hears of all micro-batches at once, and of a failed step only when it is applied', async () => {
    const source = listening([1, 2, 3, 4]);
    const backend = new QuadraticBackend({ memoryLimit: 3 });
    await train({ backend, source, controller: halving(4), stop: { epochs: 1 } });
    expect(backend.microBatchSizes).toEqual([4, 2, 2]);
    expect(source.told).toEqual([[0.5, 2, 4.5, 8]]);
    expect(backend.live).toBe(0);
  });

  it('leaves nothing behind where the second micro-batch fails', async () => {
    class FailsSecond extends QuadraticBackend {
      override gradient(...args: Parameters<QuadraticBackend['gradient']>) {
        if (this.microBatchSizes.length === 1) throw new Error('out of memory, planted');
        return super.gradient(...args);
      }
      override classify = (): FailedStep['kind'] => 'outOfMemory';
    }
    const source = listening([1, 2]);
    const backend = new FailsSecond();
    const controller = always(decide({ batchSize: 2, microBatchSize: 1 }));
    await expect(train({ backend, source, controller, stop: { epochs: 1 } })).rejects.toThrow('gave up');
    expect(source.told).toEqual([]);
    expect(backend.live).toBe(0);
  });

  it('is refused by a backend that cannot tell', async () => {
    const backend = new QuadraticBackend();
    backend.can = new Set(['loss', 'seconds']);
    const run = train({
      backend,
      source: listening([1]),
      controller: always(decide({ batchSize: 1 })),
      stop: { epochs: 1 },
    });
    await expect(run).rejects.toMatchObject({
      code: 'cannotMeasure',
      message: expect.stringContaining('loss of each example'),
    });
  });

  it('asks for nothing and keeps no state where the source does not listen', async () => {
    const asked: unknown[] = [];
    class Asked extends QuadraticBackend {
      override gradient(...args: Parameters<QuadraticBackend['gradient']>) {
        asked.push(args[1]?.exampleLosses);
        return super.gradient(...args);
      }
    }
    const { checkpoint } = await train({
      backend: new Asked(),
      source: listSource([1, 2]),
      controller: always(decide({ batchSize: 2 })),
      stop: { epochs: 1 },
    });
    expect(asked).toEqual([false]);
    expect('source' in checkpoint).toBe(false);
  });
});
