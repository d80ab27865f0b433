import { train, type BatchSource, type GradientMoments } from '@batchwise/core';
import { listSource, QuadraticBackend } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, halving, recorder } from './drive.ts';

/** A sorted list that says so, with the draws to measure by. */
const sorted = (draws: readonly number[]): BatchSource<readonly number[]> => ({
  ...listSource([1, 1, 5, 5]),
  independent: listSource(draws),
});

const WITH_GRADIENT = ['loss', 'gradient'] as const;

async function measured(
  source: BatchSource<readonly number[]>,
  { backend = new QuadraticBackend(), batchSize = 2, microBatchSize = 2 } = {},
) {
  const observer = recorder();
  const controller = always(decide({ batchSize, microBatchSize }, WITH_GRADIENT));
  await train({ backend, source, controller, observers: [observer], stop: { epochs: 1 } });
  const steps = observer.of('stepFinished').map(({ outcome }) => outcome);
  return { backend, steps, moments: steps.map(({ gradient }) => gradient) };
}

describe('a source whose batches are no independent draws', () => {
  it('has the gradient measured on draws that are, and is trained on as it stands', async () => {
    const { backend, moments, steps } = await measured(sorted([2, 4, 1, 8]));
    // w = 0: the halves 2 and 4 have the gradients -2 and -4. Then w = 0.1: those of 1 and 8.
    expect(moments[0]).toEqual({ sizes: [1, 1], squaredNorms: [4, 16], crossProduct: 8 });
    const second = moments[1] as GradientMoments;
    expect(second.squaredNorms[0]).toBeCloseTo(0.9 ** 2, 12);
    expect(second.squaredNorms[1]).toBeCloseTo(7.9 ** 2, 12);
    expect(second.crossProduct).toBeCloseTo(0.9 * 7.9, 12);
    // 0 - 0.1 (0 - 1), then 0.1 - 0.1 (0.1 - 5): the batches of the sorted list, in one part each.
    expect(backend.weight).toBeCloseTo(0.59, 12);
    expect(backend.microBatchSizes).toEqual([2, 1, 1, 2, 1, 1]);
    expect(steps.map(({ microBatchSize }) => microBatchSize)).toEqual([2, 2]);
    expect(steps.map(({ loss }) => loss)).toEqual([0.5, expect.closeTo(4.9 ** 2 / 2, 12)]);
    expect(backend.live).toBe(0);
  });

  it('would have shown no noise within its own batches', async () => {
    const { moments } = await measured(listSource([1, 1, 5, 5]));
    expect(moments[0]).toEqual({ sizes: [1, 1], squaredNorms: [1, 1], crossProduct: 1 });
  });

  it('is measured in parts as small as the plan has them', async () => {
    const { moments, backend } = await measured(sorted([2, 4, 1, 8]), { microBatchSize: 1 });
    expect(moments[0]?.sizes).toEqual([1, 1]);
    expect(backend.microBatchSizes.slice(0, 4)).toEqual([1, 1, 1, 1]);
  });

  it('is measured on the draws that are left, fewer than the batch has', async () => {
    const { moments, backend } = await measured(sorted([2, 4, 9]), { batchSize: 4, microBatchSize: 4 });
    // The means of 2 and 4 and of 9 alone: 2 · 1 · (−3 · −9).
    expect(moments).toEqual([{ sizes: [2, 1], squaredNorms: [9, 81], crossProduct: 54 }]);
    expect(backend.microBatchSizes).toEqual([4, 2, 1]);
  });

  it('is not measured once its draws are used up, nor by a single one', async () => {
    const { moments, backend } = await measured(sorted([2, 4]));
    expect(moments.map((each) => each !== undefined)).toEqual([true, false]);
    expect((await measured(sorted([2, 4, 1]))).moments[1]).toBeUndefined();
    expect(backend.live).toBe(0);
  });

  it('is not asked for draws where nobody measures a gradient', async () => {
    const independent: BatchSource<readonly number[]> = {
      size: 4,
      epoch: () => expect.fail('opened an epoch that nobody reads'),
    };
    const source = { ...listSource([1, 1, 5, 5]), independent };
    const controller = always(decide({ batchSize: 2 }));
    await train({ backend: new QuadraticBackend(), source, controller, stop: { epochs: 1 } });
  });

  it('reads on in each epoch, and after a stop from where the run stands', async () => {
    const opened: (readonly [number, number | undefined])[] = [];
    const draws = listSource([2, 4, 1, 8]);
    const source: BatchSource<readonly number[]> = {
      ...listSource([1, 1, 5, 5]),
      independent: {
        size: 4,
        epoch(index, startAt) {
          opened.push([index, startAt]);
          return draws.epoch(index, startAt);
        },
      },
    };
    const controller = always(decide({ batchSize: 2 }, WITH_GRADIENT));
    const run = (examples: number, from = {}) =>
      train({ backend: new QuadraticBackend(), source, controller, stop: { examples }, ...from });
    const { checkpoint } = await run(6);
    expect(opened).toEqual([
      [0, 0],
      [1, 0],
    ]);
    await run(8, { resumeFrom: checkpoint });
    expect(opened.slice(2)).toEqual([[1, 2]]);
  });

  it('is measured on the same draws when a step is tried again, and leaves nothing behind', async () => {
    // Fits the batch of two equal halves, not the first draws at once.
    const backend = new QuadraticBackend({ memoryLimit: 1 });
    const observer = recorder();
    const inner = halving(2);
    const measuringAll = <D extends object>(decision: D): D => ({ ...decision, measure: WITH_GRADIENT });
    const controller: typeof inner = {
      ...inner,
      measures: WITH_GRADIENT,
      start: (run) => measuringAll(inner.start(run)),
      next: (step, state) => measuringAll(inner.next(step, state)),
      recover(step, state) {
        const recovery = inner.recover(step, state);
        return recovery.kind === 'retry'
          ? { ...recovery, decision: measuringAll(recovery.decision) }
          : recovery;
      },
    };
    const source = sorted([2, 4, 1, 8]);
    await train({ backend, source, controller, observers: [observer], stop: { epochs: 1 } });
    expect(observer.of('stepFailed')).toHaveLength(1);
    expect(observer.of('stepFinished')[0]?.outcome.gradient?.squaredNorms).toEqual([4, 16]);
    expect(backend.live).toBe(0);
  });

  it('leaves nothing behind where the draws fail', async () => {
    class FailsOnDraws extends QuadraticBackend {
      override gradient(...args: Parameters<QuadraticBackend['gradient']>) {
        if (args[0].includes(4)) throw new Error('planted');
        return super.gradient(...args);
      }
    }
    const backend = new FailsOnDraws();
    await expect(measured(sorted([2, 4, 1, 8]), { backend })).rejects.toThrow('planted');
    expect([backend.live, backend.weight]).toEqual([0, 0]);
  });
});
