import { stepDecay, train } from '@batchwise/core';
import { fakeClock, listSource, QuadraticBackend } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, halving, recorder, sizes } from './drive.ts';

const source = listSource([1, 2, 3, 4]);

describe('a step', () => {
  it('applies the mean gradient of the batch, as computed by hand', async () => {
    const backend = new QuadraticBackend();
    const observer = recorder();
    const controller = always(decide({ batchSize: 2 }));
    await train({ backend, source, controller, observers: [observer], stop: { epochs: 1 } });
    // w: 0 -> 0 - 0.1 (0 - 1.5) = 0.15 -> 0.15 - 0.1 (0.15 - 3.5) = 0.485
    expect(backend.weight).toBeCloseTo(0.485, 12);
    const losses = observer.of('stepFinished').map(({ outcome }) => outcome.loss);
    expect(losses[0]).toBeCloseTo((0.5 + 2) / 2, 12);
    expect(losses[1]).toBeCloseTo((2.85 ** 2 + 3.85 ** 2) / 4, 12);
    expect(observer.of('epochFinished')[0]?.trainLoss).toBeCloseTo(
      ((losses[0] ?? 0) + (losses[1] ?? 0)) / 2,
      12,
    );
  });

  it('gives the same weights from micro-batches that do not divide the batch', async () => {
    const whole = new QuadraticBackend();
    const parts = new QuadraticBackend();
    const examples = listSource([5, -1, 2, 7, 3]);
    await train({
      backend: whole,
      source: examples,
      controller: always(decide({ batchSize: 5 })),
      stop: { epochs: 3 },
    });
    const controller = always(decide({ batchSize: 5, microBatchSize: 2 }));
    await train({ backend: parts, source: examples, controller, stop: { epochs: 3 } });
    expect(parts.microBatchSizes.slice(0, 3)).toEqual([2, 2, 1]);
    expect(parts.weight).toBeCloseTo(whole.weight, 12);
    expect(parts.live).toBe(0);
  });

  it('trains the last short batch at its share of the rate', async () => {
    const backend = new QuadraticBackend();
    const controller = always(decide({ batchSize: 2, learningRateScale: 3 }));
    await train({ backend, source: listSource([1, 2, 3, 4, 5]), controller, stop: { epochs: 1 } });
    expect(backend.appliedScales).toEqual([3, 3, 1.5]);
  });

  it('follows a schedule in examples, whatever the batch', async () => {
    const backend = new QuadraticBackend();
    await train({
      backend,
      source: listSource(Array.from({ length: 16 }, () => 1)),
      controller: sizes(2, 2, 4, 8),
      schedule: stepDecay(4, 0.5),
      stop: { epochs: 1 },
    });
    // Steps begin at 0, 2, 4 and 8 examples.
    expect(backend.appliedScales).toEqual([1, 1, 0.5, 0.25]);
  });
});

describe('a measured step', () => {
  const moments = async (examples: number[], plan: { batchSize: number; microBatchSize?: number }) => {
    const observer = recorder();
    const backend = new QuadraticBackend();
    const controller = always(decide(plan, ['loss', 'gradient']));
    await train({
      backend,
      source: listSource(examples),
      controller,
      observers: [observer],
      stop: { epochs: 1 },
    });
    return { gradient: observer.of('stepFinished')[0]?.outcome.gradient, backend };
  };

  it('is split in two, and both halves train', async () => {
    const { gradient, backend } = await moments([1, 3], { batchSize: 2 });
    expect(gradient).toEqual({ sizes: [1, 1], squaredNorms: [1, 9], crossProduct: 3 });
    expect(backend.weight).toBeCloseTo(0.2, 12);
    expect(backend.live).toBe(0);
  });

  it('weights the cross products of unequal parts by their sizes', async () => {
    const { gradient } = await moments([1, 3, 5], { batchSize: 3 });
    // Parts [1, 3] and [5]: gradients −2 and −5, so 2 · 1 · 10.
    expect(gradient?.sizes).toEqual([2, 1]);
    expect(gradient?.squaredNorms).toEqual([4, 25]);
    expect(gradient?.crossProduct).toBeCloseTo(20, 12);
  });

  it('takes the micro-batches that the plan has anyway', async () => {
    const { gradient } = await moments([1, 2, 3, 4, 5, 6], { batchSize: 6, microBatchSize: 2 });
    expect(gradient?.sizes).toEqual([2, 2, 2]);
    // Gradients −1.5, −3.5 and −5.5: 4 (1.5·3.5 + 1.5·5.5 + 3.5·5.5)
    expect(gradient?.crossProduct).toBeCloseTo(4 * (5.25 + 8.25 + 19.25), 10);
  });

  it('measures nothing on a batch of one', async () => {
    expect((await moments([1], { batchSize: 1 })).gradient).toBeUndefined();
  });
});

describe('what was on the device', () => {
  const parts = async (examples: number[], measure: ('loss' | 'gradient')[] = ['loss']) => {
    const observer = recorder();
    const controller = always(decide({ batchSize: 4, microBatchSize: 4 }, measure));
    const backend = new QuadraticBackend();
    await train({
      backend,
      source: listSource(examples),
      controller,
      observers: [observer],
      stop: { epochs: 1 },
    });
    return observer.of('stepFinished').map(({ outcome }) => outcome.microBatchSize);
  };

  it('is what ran, where an epoch ends or a step is measured in two halves', async () => {
    expect(await parts([1, 2, 3, 4, 5])).toEqual([4, 1]);
    expect(await parts([1, 2, 3, 4], ['loss', 'gradient'])).toEqual([2]);
  });

  it('is told of a failed step too', async () => {
    const observer = recorder();
    const backend = new QuadraticBackend({ memoryLimit: 1 });
    const controller = always(decide({ batchSize: 4 }, ['loss', 'gradient']));
    const options = { backend, source, controller, observers: [observer], stop: { epochs: 1 } };
    await expect(train(options)).rejects.toThrow('gave up on outOfMemory');
    expect(observer.of('stepFailed').map(({ outcome }) => outcome.microBatchSize)).toEqual([2]);
  });
});

describe('a failed step', () => {
  it('is tried again with the same examples in smaller parts, and nothing is lost', async () => {
    const free = new QuadraticBackend();
    const tight = new QuadraticBackend({ memoryLimit: 1 });
    const observer = recorder();
    await train({ backend: free, source, controller: always(decide({ batchSize: 4 })), stop: { epochs: 2 } });
    await train({
      backend: tight,
      source,
      controller: halving(4),
      observers: [observer],
      stop: { epochs: 2 },
    });
    expect(tight.weight).toBeCloseTo(free.weight, 12);
    expect(tight.microBatchSizes).toEqual([4, 2, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(observer.of('stepFailed').map(({ outcome }) => outcome.kind)).toEqual([
      'outOfMemory',
      'outOfMemory',
    ]);
    expect(observer.of('planChanged').map(({ to }) => to.microBatchSize)).toEqual([2, 1]);
    expect(tight.live).toBe(0);
  });

  it('ends the run when the controller gives up, and leaves nothing behind', async () => {
    const backend = new QuadraticBackend({ memoryLimit: 3 });
    const observer = recorder();
    const controller = always(decide({ batchSize: 4 }));
    const run = train({ backend, source, controller, observers: [observer], stop: { epochs: 1 } });
    await expect(run).rejects.toMatchObject({
      code: 'outOfMemory',
      message: 'gave up on outOfMemory',
      cause: { message: 'out of memory at 4' },
    });
    expect(observer.of('runFinished')).toMatchObject([{ status: 'failed', stoppedBy: 'error', examples: 0 }]);
    expect([backend.live, backend.runsEnded, backend.weight]).toEqual([0, 1, 0]);
  });

  it('is not applied when its loss is not finite', async () => {
    const backend = new QuadraticBackend();
    const controller = always(decide({ batchSize: 2 }));
    const run = train({ backend, source: listSource([1, 2, NaN, 4]), controller, stop: { epochs: 1 } });
    await expect(run).rejects.toMatchObject({
      code: 'nonFinite',
      cause: { message: 'The loss of this batch is NaN.' },
    });
    expect(backend.weight).toBeCloseTo(0.15, 12);
    expect(backend.live).toBe(0);
  });

  it('is found at the end of the epoch where losses are not measured', async () => {
    const backend = new QuadraticBackend();
    const controller = always(decide({ batchSize: 2 }, []));
    const run = train({ backend, source: listSource([1, 2, NaN, 4]), controller, stop: { epochs: 1 } });
    await expect(run).rejects.toMatchObject({ code: 'nonFinite' });
    expect(backend.live).toBe(0);
  });

  it('is thrown on when it broke off while it was applied', async () => {
    class Breaking extends QuadraticBackend {
      override apply(): void {
        throw new Error('out of memory while applying');
      }
    }
    const backend = new Breaking();
    const run = train({ backend, source, controller: halving(4), stop: { epochs: 1 } });
    await expect(run).rejects.toThrow('out of memory while applying');
    expect(backend.live).toBe(0);
  });
});

describe('time', () => {
  it('books what measuring adds to a step as tuning', async () => {
    const clock = fakeClock();
    const backend = new QuadraticBackend({ clock, fixedSeconds: 1, secondsPerExample: 0.25 });
    const observer = recorder();
    const plain = decide({ batchSize: 2 }, ['loss', 'seconds']);
    const measured = decide({ batchSize: 2 }, ['loss', 'seconds', 'gradient']);
    const controller = {
      ...always(plain),
      next: (step: { totalExamples: number }) => (step.totalExamples === 4 ? measured : plain),
    };
    const examples = listSource(Array.from({ length: 10 }, () => 1));
    const validation = { source: examples };
    await train({
      backend,
      source: examples,
      controller,
      observers: [observer],
      stop: { epochs: 1 },
      validation,
      clock,
    });
    // Five steps of 1.5 s; the third is split, so that it pays the fixed second twice.
    const { totals } = observer.of('runFinished')[0] ?? {};
    expect(totals).toEqual({ seconds: 8.5, trainingSeconds: 7.5, tuningSeconds: 1, evaluationSeconds: 0 });
    expect(observer.of('stepFinished').map(({ outcome }) => outcome.seconds)).toEqual([
      1.5, 1.5, 2.5, 1.5, 1.5,
    ]);
    expect(observer.of('stepFinished').map(({ outcome }) => outcome.warm)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});
