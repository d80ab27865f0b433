import type { Awaitable, BatchSource } from '@batchwise/core';
import { describe, expect, it } from 'vitest';

/** What the suite cannot know of a source. */
export interface SourceSuite<Batch> {
  /** What tells the examples of a batch apart, in their order. */
  readonly idsOf: (batch: Batch) => readonly number[];
  /** False where an epoch may repeat or leave out examples (drawing with replacement). Default true. */
  readonly eachOnce?: boolean;
}

async function drain<Batch>(
  source: BatchSource<Batch>,
  sizes: readonly number[],
  {
    idsOf,
    epoch = 0,
    startAt,
  }: { idsOf: (batch: Batch) => readonly number[]; epoch?: number; startAt?: number },
): Promise<number[]> {
  const cursor = source.epoch(epoch, startAt);
  const ids: number[] = [];
  let wasShort = false;
  for (let i = 0; ; i += 1) {
    const asked = sizes[i % sizes.length] ?? 1;
    const batch = await cursor.take(asked);
    if (batch === undefined) return ids;
    const got = idsOf(batch);
    expect(wasShort, 'a short batch in the middle of an epoch').toBe(false);
    wasShort = got.length < asked;
    expect(got.length).toBeGreaterThan(0);
    expect(got.length).toBeLessThanOrEqual(asked);
    ids.push(...got);
  }
}

/** The contract of a BatchSource with a known size as a vitest suite. */
export function describeSource<Batch>(
  name: string,
  make: () => Awaitable<BatchSource<Batch>>,
  suite: SourceSuite<Batch>,
): void {
  describe(`${name} keeps the contract of a BatchSource`, () => sourceChecks(make, suite));
}

/** The checks of `describeSource`, for suites that hold more. */
export function sourceChecks<Batch>(
  make: () => Awaitable<BatchSource<Batch>>,
  { idsOf, eachOnce = true }: SourceSuite<Batch>,
): void {
  it('gives as many examples in an epoch as its size says', async () => {
    const source = await make();
    const ids = await drain(source, [7], { idsOf });
    expect(ids).toHaveLength(source.size ?? NaN);
    if (eachOnce) expect(new Set(ids).size).toBe(ids.length);
  });

  it('has an order that does not depend on how it is cut', async () => {
    const source = await make();
    const whole = await drain(source, [1_000_000], { idsOf, epoch: 2 });
    expect(await drain(source, [1], { idsOf, epoch: 2 })).toEqual(whole);
    expect(await drain(source, [3, 11, 2, 64], { idsOf, epoch: 2 })).toEqual(whole);
    expect(await drain(await make(), [5], { idsOf, epoch: 2 })).toEqual(whole);
  });

  it('resumes anywhere in an epoch', async () => {
    const source = await make();
    const whole = await drain(source, [4], { idsOf, epoch: 1 });
    for (const startAt of [0, 1, Math.floor(whole.length / 2), whole.length - 1, whole.length])
      expect(await drain(source, [4], { idsOf, epoch: 1, startAt })).toEqual(whole.slice(startAt));
  });

  it('stays over once the epoch is over', async () => {
    const source = await make();
    const cursor = source.epoch(0, source.size);
    expect(await cursor.take(3)).toBeUndefined();
    expect(await cursor.take(3)).toBeUndefined();
  });

  it('can have two cursors open at once', async () => {
    const source = await make();
    const [a, b] = [source.epoch(0), source.epoch(0)];
    for (let i = 0; i < 3; i += 1) {
      const [fromA, fromB] = [await a.take(2), await b.take(2)];
      expect(fromA && idsOf(fromA)).toEqual(fromB && idsOf(fromB));
    }
  });
}
