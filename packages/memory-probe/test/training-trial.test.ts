import { QuadraticBackend } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import {
  findCeiling,
  trainingTrial,
  type KeptState,
  type MemoryMeter,
  type TrialRequest,
} from '../src/index.ts';

const asked = (fields: Partial<TrialRequest> = {}): TrialRequest => ({
  batchSize: 4,
  referenceSize: 2,
  predictedPeakBytes: null,
  signal: undefined,
  ...fields,
});

/** Counts up from the number of the epoch, as many as are asked for. */
const source = (size = Infinity) => ({
  epoch: (index: number) => ({
    take: (count: number) => Array.from({ length: Math.min(size, count) }, (_, k) => index + k),
  }),
});

/** Keeps the weight, and counts how often. */
function keeping(backend: QuadraticBackend) {
  const log: string[] = [];
  const keep = (): KeptState => {
    const { weight } = backend;
    log.push('keep');
    return {
      bytes: 8,
      restore: () => {
        log.push(`restore ${backend.weight} to ${weight}`);
        backend.weight = weight;
      },
    };
  };
  return { keep, log };
}

describe('trainingTrial', () => {
  it('runs steps, takes the canary and puts everything back', async () => {
    // The loss of x is (w − x)²/2 with x = 0, 1, 2, 3: from w = 1.5 on, gradients are 0; from w = 0 on −1.5.
    const backend = new QuadraticBackend({ weight: 0, learningRate: 0.5 });
    const { keep, log } = keeping(backend);
    const outcome = await trainingTrial({ backend, source: source(), keep })(asked());
    expect(outcome).toMatchObject({ kind: 'trained', steps: 2, examples: 4 });
    // w = 0.75, then 1.125: the mean of (1.125 − x)²/2 is 0.6953125, the gradient −0.375.
    expect(log).toEqual(['keep', 'restore 1.125 to 0']);
    expect(outcome.kind === 'trained' && outcome.canary).toEqual([
      { quantity: 'loss', mode: 'evaluation', whole: 0.6953125, parts: 0.6953125 },
      { quantity: 'loss', mode: 'training', whole: 0.6953125, parts: 0.6953125 },
      { quantity: 'gradientNorm', mode: 'training', whole: 0.375, parts: 0.375 },
    ]);
    expect(backend).toMatchObject({ weight: 0, live: 0, appliedScales: [1, 1] });
    // Two steps and the canary's whole batch and its halves.
    expect(backend.microBatchSizes).toEqual([4, 4, 4, 2, 2]);
    expect(backend.runsEnded).toBeGreaterThan(0);
  });

  it('takes no canary where none is asked for', async () => {
    const backend = new QuadraticBackend();
    const trial = trainingTrial({ backend, source: source(), ...keeping(backend), steps: 3 });
    expect(await trial(asked({ referenceSize: null }))).toMatchObject({ steps: 3, canary: null });
    expect(backend.microBatchSizes).toEqual([4, 4, 4]);
  });

  it('adds up micro-batches of the size', async () => {
    const backend = new QuadraticBackend({ learningRate: 0.5 });
    const { keep, log } = keeping(backend);
    await trainingTrial({ backend, source: source(), keep, microBatches: 2 })(asked({ referenceSize: null }));
    expect(backend.microBatchSizes).toEqual([4, 4, 4, 4]);
    expect(log[1]).toBe('restore 1.125 to 0');
    expect(backend.live).toBe(0);
  });

  it('meters each update in two phases, and takes the most of each', async () => {
    const backend = new QuadraticBackend();
    const peaks = [22, 30, 20, 25];
    const calls: string[] = [];
    const meter: MemoryMeter = {
      source: 'test',
      certainty: 'exact',
      begin: () => void calls.push('begin'),
      read: () => {
        calls.push('read');
        return { bytesInUse: 1, peakBytes: peaks.shift() ?? 0 };
      },
    };
    const trial = trainingTrial({ backend, source: source(), ...keeping(backend), meter });
    expect(await trial(asked())).toMatchObject({
      peak: { peakBytes: 30, gradientPeakBytes: 22, baseBytes: 8, source: 'test', certainty: 'exact' },
    });
    expect(calls).toEqual(['begin', 'read', 'read', 'begin', 'read', 'read']);
  });

  it.each([
    [20, 20],
    [5, 8],
  ])('counts what its meter says is fixed: of %i bytes and 8 that are kept, %i', async (fixed, baseBytes) => {
    const meter: MemoryMeter = {
      source: 'test',
      certainty: 'upperBound',
      begin: () => undefined,
      read: () => ({ bytesInUse: 30, peakBytes: 40 }),
      fixedBytes: () => fixed,
    };
    const backend = new QuadraticBackend();
    const trial = trainingTrial({ backend, source: source(), ...keeping(backend), meter });
    expect(await trial(asked())).toMatchObject({ peak: { peakBytes: 40, baseBytes } });
  });

  it('tells how long its last update took, by the clock that it is given', async () => {
    const backend = new QuadraticBackend();
    let seconds = 0;
    // Before the first update, after it, before the last, after it.
    const times = [1, 31, 40, 42.5];
    const clock = () => (seconds = times.shift() ?? NaN);
    const trial = trainingTrial({ backend, source: source(), ...keeping(backend), clock });
    expect(await trial(asked())).toMatchObject({ kind: 'trained', stepSeconds: 2.5 });
    expect(seconds).toBe(42.5);
    const untimed = trainingTrial({ backend, source: source(), ...keeping(backend) });
    expect(await untimed(asked())).toMatchObject({ stepSeconds: null });
  });

  it('has no reading where a part of it is missing', async () => {
    const backend = new QuadraticBackend();
    const meter: MemoryMeter = { source: 'test', certainty: 'exact', begin: () => {}, read: () => null };
    const trial = trainingTrial({ backend, source: source(), ...keeping(backend), meter });
    expect(await trial(asked())).toMatchObject({ kind: 'trained', peak: null });
  });

  it('says what is too big, and leaves nothing behind', async () => {
    const backend = new QuadraticBackend({ memoryLimit: 3 });
    const { keep, log } = keeping(backend);
    const trial = trainingTrial({ backend, source: source(), keep });
    expect(await trial(asked())).toEqual({ kind: 'tooBig', limit: 'memory', message: 'out of memory at 4' });
    expect(log).toEqual(['keep', 'restore 0 to 0']);
    expect(backend.live).toBe(0);
    const limited = trainingTrial({ backend, source: source(), keep, isDeviceLimit: () => true });
    expect(await limited(asked())).toMatchObject({ limit: 'deviceLimit' });
  });

  it('brings a lost device back before it puts the state back', async () => {
    const backend = new QuadraticBackend();
    const { keep, log } = keeping(backend);
    const gone = Object.assign(backend, {
      apply: () => {
        throw new Error('lost');
      },
      classify: () => 'deviceLost',
      revive: () => void log.push('revive'),
    });
    expect(await trainingTrial({ backend: gone, source: source(), keep })(asked())).toEqual({
      kind: 'lost',
      message: 'lost',
    });
    expect(log).toEqual(['keep', 'revive', 'restore 0 to 0']);
    expect(backend.live).toBe(0);
  });

  it('throws what is no matter of size, and puts everything back', async () => {
    const backend = new QuadraticBackend();
    const { keep, log } = keeping(backend);
    const broken = Object.assign(backend, { settle: () => Promise.reject(new TypeError('broken')) });
    await expect(trainingTrial({ backend: broken, source: source(), keep })(asked())).rejects.toThrow(
      'broken',
    );
    expect(log).toHaveLength(2);
    expect(backend.live).toBe(0);
  });

  it('throws what killed an engine, not what that made of putting back', async () => {
    const backend = new QuadraticBackend({ memoryLimit: 3 });
    const keep = (): KeptState => ({
      bytes: 8,
      restore: () => {
        throw new Error('dead');
      },
    });
    await expect(trainingTrial({ backend, source: source(), keep })(asked())).rejects.toThrow(
      'out of memory at 4',
    );
    const healthy = new QuadraticBackend();
    await expect(trainingTrial({ backend: healthy, source: source(), keep })(asked())).rejects.toThrow(
      'dead',
    );
  });

  it('draws no random number of the program', async () => {
    const backend = new QuadraticBackend();
    const own = Math.random;
    const drawn: number[] = [];
    const noisy = Object.assign(backend, { settle: () => void drawn.push(Math.random()) });
    let asks = 0;
    const mine = (): number => {
      asks += 1;
      return 0.5;
    };
    Math.random = mine;
    try {
      const trial = trainingTrial({ backend: noisy, source: source(), ...keeping(backend) });
      await trial(asked());
      await trial(asked({ batchSize: 8 }));
      expect(Math.random).toBe(mine);
    } finally {
      Math.random = own;
    }
    expect(asks).toBe(0);
    // xorshift32 from 2463534242: 723471715, 2497366906, 2064144800 (Marsaglia 2003).
    expect(drawn.slice(0, 3).map((value) => value * 2 ** 32)).toEqual([723471715, 2497366906, 2064144800]);
    expect(drawn).toHaveLength(8);
    expect(drawn.slice(4)).toEqual(drawn.slice(0, 4));
  });

  it('says so where the source has too few examples', async () => {
    const backend = new QuadraticBackend();
    const trial = trainingTrial({ backend, source: source(20), ...keeping(backend) });
    await expect(findCeiling(trial)).rejects.toThrow('say how many there are by datasetSize');
    expect(await findCeiling(trial, { datasetSize: 20 })).toMatchObject({
      batchSize: 20,
      limitedBy: 'dataset',
    });
    const empty = { epoch: () => ({ take: () => undefined }) };
    await expect(trainingTrial({ backend, source: empty, ...keeping(backend) })(asked())).rejects.toThrow(
      'The source has no examples.',
    );
  });

  it('ends with its signal, between two steps', async () => {
    const controller = new AbortController();
    const backend = new QuadraticBackend();
    const stopping = Object.assign(backend, { settle: () => controller.abort(new Error('enough')) });
    const trial = trainingTrial({ backend: stopping, source: source(), ...keeping(backend), steps: 5 });
    await expect(trial(asked({ signal: controller.signal }))).rejects.toThrow('enough');
    expect(backend.appliedScales).toEqual([1]);
    expect(backend).toMatchObject({ live: 0, weight: 0 });
  });

  it.each([
    [{ steps: 1 }, 'steps is 1'],
    [{ microBatches: 0 }, 'microBatches is 0'],
  ])('refuses %j', (options, message) => {
    const backend = new QuadraticBackend();
    expect(() => trainingTrial({ backend, source: source(), ...keeping(backend), ...options })).toThrow(
      message,
    );
  });
});
